// The other process: looks at one key until its value says that it was the last, and tells when it saw each.
//
//   node watch.mjs warmshard|lmdb PATH KEY LAST      (with an IPC channel)

import { setImmediate as turn } from 'node:timers/promises';
import { lmdbPeer, warmshardPeer } from '../peers.mjs';

const [, , name, path = '', key = '', last = '0'] = process.argv;
const store = name === 'lmdb' ? lmdbPeer(path) : warmshardPeer(path);
if (store === undefined) throw new Error(`${name} does not load`);

/** @type {string[]} */
const seen = [];
process.send?.('ready');
while (seen[Number(last)] === undefined) {
  const value = store.get(key);
  const number = value === undefined ? 0 : new DataView(value.buffer, value.byteOffset).getUint32(0, true);
  if (number > 0) seen[number] ??= String(process.hrtime.bigint());
  // lmdb goes on reading its snapshot until the event loop has turned.
  if (name === 'lmdb') await turn();
}
process.send?.(seen, () => process.disconnect?.());
