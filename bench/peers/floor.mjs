// The bare platform's part of a hit: a call with a string, which is hashed; offset and length come back, and JavaScript
// makes the view. Nothing is searched: the offset is computed from the hash.

import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** Largest window; larger shapes use it, too, because no search could become slower with more entries. */
const MOST_BYTES = 2 ** 28;

/**
 * @typedef {object} Floor
 * @property {ArrayBuffer} exchange
 * @property {Buffer} keyBuffer
 * @property {(count: number, bytes: number) => ArrayBuffer} configure
 * @property {() => void} nothing
 * @property {() => number} int32
 * @property {(key: string) => number} hashLatin1
 * @property {(key: string) => number} hashUtf8
 * @property {(key: string) => number} findLatin1
 * @property {(key: string) => number} findUtf8
 * @property {(length: number) => number} findShared
 * @property {(key: string) => Uint8Array} nativeView
 * @property {(key: string) => Buffer} bufferCopy
 * @property {(key: string) => ArrayBuffer} externalArrayBuffer
 * @property {(key: string) => Buffer} externalBuffer
 * @property {(path: string) => ArrayBuffer} sharedWords a page of a file that processes share
 */

/** @returns {Floor} */
export function loadFloor() {
  try {
    return require('../floor/build/Release/floor.node');
  } catch {
    throw new Error('not built: npm run bench:addons');
  }
}

/** @param {Floor} floor @param {ArrayBuffer} window */
export function floorGet(floor, window) {
  const answer = new Uint32Array(floor.exchange);
  const { findLatin1 } = floor;
  return (/** @type {string} */ key) =>
    findLatin1(key) === 0 ? new Uint8Array(window, answer[1], answer[2]) : undefined;
}

/** @param {import('./index.mjs').StoreOptions} options @returns {import('./index.mjs').Store} */
export function openFloor({ count, bytes }) {
  const floor = loadFloor();
  const window = floor.configure(Math.max(1, Math.min(count, Math.floor(MOST_BYTES / bytes))), bytes);
  const nothing = () => {};
  const miss = (/** @type {string} */ key) => (floor.hashLatin1(key) < 0 ? key : undefined);
  return { get: floorGet(floor, window), miss, put: nothing, load: nothing, close: nothing };
}
