// The floor: what each step of a call costs on the bare platform, without a look-up behind it.

import { compete } from '../lib/contenders.mjs';
import { KEY_CHARS, keysOf, makeValue, uniformOrder } from '../lib/data.mjs';
import { callLoop, walker } from '../lib/loops.mjs';
import { floorGet, loadFloor } from '../peers/floor.mjs';

const KEYS = 10_000;
const ORDER = 1_000_000;
const BYTES = 1024;

/** @param {import('../lib/context.mjs').Context} context */
export async function run(context) {
  context.progress('the floor');
  const spec = { ms: context.sizes.ms };
  const { results, absent } = await compete(context, 'floor', [{ name: 'floor', spec }]);
  /** @type {import('../lib/contenders.mjs').Rows} */
  const rows = { ...absent };
  for (const [task, figures] of Object.entries(results)) if (figures.floor) rows[task] = figures.floor;
  context.add('floor', 'one call of the bare platform', 'ns', rows);
}

/** @param {{ ms: number }} spec */
export async function inChild({ ms }) {
  const floor = loadFloor();
  const keys = keysOf(KEYS);
  const order = uniformOrder(ORDER, KEYS);
  const window = floor.configure(KEYS, BYTES);
  const answer = new Uint32Array(floor.exchange);
  const { findUtf8, findShared } = floor;
  // The type declarations of Node.js leave out `latin1Write`.
  const keyBuffer = /** @type {{ latin1Write(text: string): number }} */ (
    /** @type {unknown} */ (floor.keyBuffer)
  );
  const values = Array.from({ length: 64 }, (_, i) => makeValue(i, BYTES));
  const buffer = Buffer.from(window);
  let turn = 0;
  /** @type {Record<string, (key: string) => unknown>} */
  const calls = {
    'nothing in, undefined out': floor.nothing,
    'int32 out': floor.int32,
    'string in (Latin-1), hash, int32 out': floor.hashLatin1,
    'string in (UTF-8), hash, int32 out': floor.hashUtf8,
    'Latin-1, shared Uint32Array, view in JS': floorGet(floor, window),
    'UTF-8, shared Uint32Array, view in JS': (key) =>
      findUtf8(key) === 0 ? new Uint8Array(window, answer[1], answer[2]) : undefined,
    'key by latin1Write, length in, view in JS': (key) => {
      keyBuffer.latin1Write(key);
      return findShared(KEY_CHARS) === 0 ? new Uint8Array(window, answer[1], answer[2]) : undefined;
    },
    'the view alone, new Uint8Array': () => new Uint8Array(window, (turn++ & 1023) * BYTES, BYTES),
    'the view alone, Buffer.subarray': () => {
      const from = (turn++ & 1023) * BYTES;
      return buffer.subarray(from, from + BYTES);
    },
    'view made natively': floor.nativeView,
    'napi_create_buffer_copy, 1 KiB': floor.bufferCopy,
    'copy made in JS, slice of 1 KiB': () => values[turn++ & 63]?.buffer.slice(0),
    'external buffer, 1 KiB': floor.externalBuffer,
    'external arraybuffer, 1 KiB': floor.externalArrayBuffer,
  };
  const tasks = Object.entries(calls).map(([name, call]) => [
    name,
    () => {
      const loop = callLoop();
      return walker({ run: (from, to) => loop(call, keys, order, from, to), length: ORDER, ms });
    },
  ]);
  return { tasks: Object.fromEntries(tasks) };
}
