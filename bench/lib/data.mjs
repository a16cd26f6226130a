// The keys and values: the same for every peer and in every process.

export const KEY_CHARS = 60;

const PREFIX = '/home/user/project/node_modules';
/** Prefix of the keys that no store holds. */
export const ABSENT = '/home/user/another/node_modules';

/**
 * The number of entries, and the bytes of each value.
 *
 * @typedef {{ count: number, bytes: number }} Shape
 */

/** `10k x 1 KiB` @param {Shape} shape */
export function label({ count, bytes }) {
  const size =
    bytes >= 2 ** 20 ? `${bytes / 2 ** 20} MiB` : bytes >= 1024 ? `${bytes / 1024} KiB` : `${bytes} B`;
  const many = count >= 1e6 ? `${count / 1e6}M` : count >= 1000 ? `${count / 1000}k` : `${count}`;
  return `${many} x ${size}`;
}

/**
 * Key number `i`: 60 one-byte characters that look like a path. It is made through a buffer to get one flat string,
 * like a path that comes from the file system.
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

/** Values are taken from a pool of random bytes, which no peer can compress. */
const POOL_BYTES = 2 ** 21;
/** @type {Buffer | undefined} */
let pool;

function makePool() {
  const words = new Uint32Array(POOL_BYTES / 4);
  const random = generator(0x51ed270b);
  for (let i = 0; i < words.length; i++) words[i] = random() * 2 ** 32;
  return Buffer.from(words.buffer);
}

/** Value number `i`; its first four bytes and its last byte contain the number. @param {number} i @param {number} bytes */
export function makeValue(i, bytes) {
  pool ??= makePool();
  const from = (i * 4099) % (POOL_BYTES - bytes);
  const value = Buffer.allocUnsafeSlow(bytes);
  pool.copy(value, 0, from, from + bytes);
  value.writeUInt32LE(i >>> 0);
  value[bytes - 1] = i & 0xff;
  return value;
}

/**
 * Entries in batches of at most 64 MiB, so that a million need not be in memory at once.
 *
 * @param {Shape} shape
 * @returns {Generator<[string, Buffer][]>}
 */
export function* batches({ count, bytes }, prefix = PREFIX) {
  const most = Math.max(1, Math.min(50_000, Math.floor(2 ** 26 / bytes)));
  for (let from = 0; from < count; from += most)
    yield Array.from({ length: Math.min(most, count - from) }, (_, i) => [
      keyOf(from + i, prefix),
      makeValue(from + i, bytes),
    ]);
}

/** Repeatable numbers in [0, 1). */
function generator(seed = 0x2545f491) {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** `length` random indices below `count`, the same in every run. @param {number} length @param {number} count */
export function uniformOrder(length, count) {
  const random = generator();
  return Uint32Array.from({ length }, () => Math.floor(random() * count));
}

/**
 * `length` indices below `count` by Zipf's law, the same in every run: the k-th most frequent index occurs in
 * proportion to 1 / k^0.99, as in YCSB. The frequent ones are scattered over the whole range.
 *
 * @param {number} length
 * @param {number} count
 */
export function zipfOrder(length, count) {
  const sums = new Float64Array(count);
  let sum = 0;
  for (let i = 0; i < count; i++) sums[i] = sum += 1 / (i + 1) ** 0.99;
  const random = generator(0x1234567);
  const rank = (/** @type {number} */ at) => {
    let low = 0;
    for (let high = count - 1; low < high; ) {
      const middle = (low + high) >> 1;
      if ((sums[middle] ?? 0) < at) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  // Multiplying by a prime that does not divide `count` scatters the ranks.
  return Uint32Array.from({ length }, () => (rank(random() * sum) * 15_485_863) % count);
}
