// A worker thread that reads a store, like the processes of cases/readers.mjs.

import { parentPort, workerData } from 'node:worker_threads';
import { reading } from './cases/readers.mjs';
import { filled } from './lib/stores.mjs';

const { peer, shape, root, ms } = workerData;
const store = await filled(root, peer, shape);
const round = reading(store, shape.count, ms);
parentPort?.on('message', async (message) => {
  if (message === 'end') {
    await store.close();
    parentPort?.close();
  } else parentPort?.postMessage(round());
});
parentPort?.postMessage('ready');
