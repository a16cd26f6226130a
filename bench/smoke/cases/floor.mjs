// The floor under a call: what the bare platform asks for each step, with no look-up behind it.

import { keysOf, randomOrder } from '../data.mjs';
import { floorAddon, floorGet } from '../floor.mjs';
import { callLoop, perTurn } from '../loops.mjs';
import { measure } from '../measure.mjs';

const TURNS = 100_000;
const KEYS = 10_000;

/** @param {{ rounds: number }} options @returns {Promise<import('../measure.mjs').Figures | undefined>} */
export async function floorCalls({ rounds }) {
  const floor = floorAddon();
  if (floor === undefined) return undefined;
  const keys = keysOf(KEYS);
  const order = randomOrder(TURNS, KEYS);
  const answer = new Uint32Array(floor.exchange);
  const { window, findUtf8 } = floor;
  /** @type {Record<string, [call: (key: string) => unknown, slower?: number]>} */
  const calls = {
    'nothing in, undefined out': [floor.nothing],
    'int32 out': [floor.int32],
    'string in (Latin-1), hash, int32 out': [floor.hashLatin1],
    'string in (UTF-8), hash, int32 out': [floor.hashUtf8],
    'Latin-1, shared Uint32Array, view in JS': [floorGet(floor)],
    'UTF-8, shared Uint32Array, view in JS': [
      (key) => (findUtf8(key) === 0 ? new Uint8Array(window, answer[1], answer[2]) : undefined),
    ],
    'native typed array': [floor.nativeView, 2],
    'buffer_copy, 1 KiB': [floor.bufferCopy, 10],
    'external arraybuffer, 1 KiB': [floor.externalBuffer, 10],
  };
  const contenders = Object.entries(calls).map(([name, [call, slower = 1]]) => {
    const loop = callLoop();
    const turns = TURNS / slower;
    return { name, round: () => perTurn(turns, () => void loop(call, keys, order, 0, turns)) };
  });
  return measure(contenders, { rounds });
}
