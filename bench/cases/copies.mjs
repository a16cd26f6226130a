// Copied values instead of views: `copy: true`, which is the only way on runtimes that forbid lending, `access: 'read'`,
// and Node-API's own `napi_create_buffer_copy`.

import { compete } from '../lib/contenders.mjs';
import { keysOf, label, uniformOrder } from '../lib/data.mjs';
import { hitLoop, walker } from '../lib/loops.mjs';
import { filled } from '../lib/stores.mjs';
import { loadFloor } from '../peers/floor.mjs';

const ORDER = 1_000_000;
const NAMES = ['warmshard', 'warmshard, copy', 'warmshard, read', 'lmdb getBinary'];

/** @param {import('../lib/context.mjs').Context} context */
export async function run(context) {
  const shape = context.sizes.main;
  context.progress('copies');
  const entrants = context.entrants(NAMES, shape);
  if (context.wants('floor'))
    entrants.push({ name: 'napi_create_buffer_copy', spec: { shape, ms: context.sizes.ms } });
  const { results } = await compete(context, 'copies', entrants);
  context.add('copies', `hit, value lent or copied, ${label(shape)}`, 'ns', results.hit);
}

/** @param {{ peer?: string, shape: import('../lib/data.mjs').Shape, root: string, ms: number }} spec */
export async function inChild({ peer, shape, root, ms }) {
  const keys = keysOf(shape.count);
  const order = uniformOrder(ORDER, shape.count);
  const store = peer === undefined ? undefined : await filled(root, peer, shape);
  const get = store?.get ?? copier(shape);
  const hit = () => {
    const loop = hitLoop();
    return walker({ run: (from, to) => loop(get, keys, order, from, to), length: ORDER, ms });
  };
  return { tasks: { hit }, close: () => store?.close() };
}

/** @param {import('../lib/data.mjs').Shape} shape */
function copier({ count, bytes }) {
  const floor = loadFloor();
  floor.configure(count, bytes);
  return floor.bufferCopy;
}
