// The floor addon, where it was built: `npm run bench:floor:build`.

import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/**
 * @typedef {object} Floor
 * @property {ArrayBuffer} window
 * @property {ArrayBuffer} exchange
 * @property {() => void} nothing
 * @property {() => number} int32
 * @property {(key: string) => number} hashLatin1
 * @property {(key: string) => number} hashUtf8
 * @property {(key: string) => number} findLatin1
 * @property {(key: string) => number} findUtf8
 * @property {(key: string) => Uint8Array} nativeView
 * @property {(key: string) => Uint8Array} bufferCopy
 * @property {(key: string) => ArrayBuffer} externalBuffer
 */

/** The floor addon, where it was built. @returns {Floor | undefined} */
export function floorAddon() {
  try {
    return require('../floor/build/Release/floor.node');
  } catch {
    return undefined;
  }
}

/** A look-up that finds without looking: hash, and a view where the hash points. @param {Floor} floor @returns {import('./peers.mjs').Get} */
export function floorGet(floor) {
  const answer = new Uint32Array(floor.exchange);
  const { findLatin1, window } = floor;
  return (key) => (findLatin1(key) === 0 ? new Uint8Array(window, answer[1], answer[2]) : undefined);
}
