// Keys and values: the same for every peer, and the same in every process.

export const KEY_CHARS = 60;
export const VALUE_BYTES = 1024;

const PREFIX = '/home/user/project/node_modules';

/**
 * Key number `i`: 60 one-byte characters, the shape of a path. Made through a buffer, so that it is one flat string,
 * as a path from the file system is.
 *
 * @param {number} i
 */
export function keyOf(i, prefix = PREFIX) {
  const tail = `${String(i).padStart(8, '0')}.js`;
  const head = `${prefix}/package-${i % 97}/lib/`.padEnd(KEY_CHARS, 'x');
  return Buffer.from(head.slice(0, KEY_CHARS - tail.length) + tail, 'latin1').toString('latin1');
}

/** @param {number} count */
export function keysOf(count, prefix = PREFIX) {
  return Array.from({ length: count }, (_, i) => keyOf(i, prefix));
}

/** Value number `i`; the first and the last byte tell which. */
export function makeValue(/** @type {number} */ i, bytes = VALUE_BYTES) {
  const value = new Uint8Array(bytes).fill(i * 7 + 13);
  new DataView(value.buffer).setUint32(0, i, true);
  value[bytes - 1] = i & 0xff;
  return value;
}

/** A fixed order of `length` indices below `count`, at random. */
export function randomOrder(/** @type {number} */ length, /** @type {number} */ count) {
  const order = new Uint32Array(length);
  let state = 0x2545f491;
  for (let i = 0; i < length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    order[i] = (state >>> 0) % count;
  }
  return order;
}
