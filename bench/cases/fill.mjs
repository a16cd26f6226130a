// Not a case: fills a store for other processes, and ends.

import { filled } from '../lib/stores.mjs';

/** @param {{ peer: string, shape: import('../lib/data.mjs').Shape, root: string }} spec */
export async function inChild({ peer, shape, root }) {
  const store = await filled(root, peer, shape);
  await store.close();
  return { tasks: {} };
}
