// Values that contain their key and the number of the change that stored them, so that wrong bytes are always noticed.

import { createHash } from 'node:crypto';

const LENGTHS = [0, 1, 40, 300, 5000, 70_000];

/**
 * @param {string} key
 * @param {number} tag the number of the change that stores it
 */
export function bytesOf(key, tag) {
  const head = Buffer.from(`${key}\0${tag}\0`);
  const more = LENGTHS[tag % LENGTHS.length] ?? 0;
  const block = createHash('sha256').update(head).digest();
  return Buffer.concat([head, Buffer.alloc(more, block)]);
}

/**
 * The change that stored these bytes under this key.
 *
 * @param {string} key
 * @param {Uint8Array} bytes
 * @throws if no change can have stored these bytes under this key
 */
export function tagOf(key, bytes) {
  const value = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [named, tag] = value.toString('latin1', 0, 200).split('\0', 2);
  if (named !== key || !value.equals(bytesOf(key, Number(tag))))
    throw new Error(`wrong bytes for ${key}: ${value.length} bytes, ${value.toString('latin1', 0, 60)}`);
  return Number(tag);
}
