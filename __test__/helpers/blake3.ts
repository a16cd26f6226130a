// A simple, slow BLAKE3, written from its paper, to compare ours with.

const IV = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];
const PERMUTATION = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8];
const CHUNK_START = 1;
const CHUNK_END = 2;
const PARENT = 4;
const ROOT = 8;
const KEYED = 16;
const CHUNK = 1024;
const BLOCK = 64;

type Words = number[];

function compress(cv: Words, block: Words, counter: number, length: number, flags: number): Words {
  const v = [...cv, ...IV.slice(0, 4), counter, 0, length, flags];
  const at = (i: number) => v[i] as number;
  let m = block;
  const rotate = (n: number, by: number) => (n >>> by) | (n << (32 - by));
  const mix = (a: number, b: number, c: number, d: number, x: number, y: number) => {
    for (const [word, first, second] of [
      [x, 16, 12],
      [y, 8, 7],
    ] as const) {
      v[a] = (at(a) + at(b) + word) | 0;
      v[d] = rotate(at(d) ^ at(a), first);
      v[c] = (at(c) + at(d)) | 0;
      v[b] = rotate(at(b) ^ at(c), second);
    }
  };
  for (let round = 0; round < 7; round++) {
    const w = (i: number) => m[i] as number;
    for (let i = 0; i < 4; i++) mix(i, i + 4, i + 8, i + 12, w(2 * i), w(2 * i + 1));
    for (let i = 0; i < 4; i++)
      mix(i, ((i + 1) % 4) + 4, ((i + 2) % 4) + 8, ((i + 3) % 4) + 12, w(8 + 2 * i), w(9 + 2 * i));
    m = PERMUTATION.map((i) => w(i));
  }
  return v.slice(0, 8).map((word, i) => word ^ at(i + 8));
}

function words(bytes: Uint8Array): Words {
  const padded = Buffer.alloc(BLOCK);
  padded.set(bytes);
  return Array.from({ length: 16 }, (_, i) => padded.readInt32LE(i * 4));
}

function chunk(bytes: Uint8Array, key: Words, counter: number, flags: number): Words {
  let cv = key;
  const blocks = Math.max(1, Math.ceil(bytes.length / BLOCK));
  for (let i = 0; i < blocks; i++) {
    const block = bytes.subarray(i * BLOCK, (i + 1) * BLOCK);
    const last = i === blocks - 1 ? flags | CHUNK_END : flags & ~ROOT;
    cv = compress(cv, words(block), counter, block.length, last | (i === 0 ? CHUNK_START : 0));
  }
  return cv;
}

function tree(bytes: Uint8Array, key: Words, counter: number, flags: number): Words {
  if (bytes.length <= CHUNK) return chunk(bytes, key, counter, flags);
  let left = CHUNK;
  while (left * 2 < bytes.length) left *= 2;
  const below = flags & ~ROOT;
  const block = [
    ...tree(bytes.subarray(0, left), key, counter, below),
    ...tree(bytes.subarray(left), key, counter + left / CHUNK, below),
  ];
  return compress(key, block, 0, BLOCK, flags | PARENT);
}

/** BLAKE3-256, keyed if a key of 32 bytes is given. */
export function blake3(bytes: Uint8Array, key?: Uint8Array): Uint8Array {
  const start = key === undefined ? IV : words(key).slice(0, 8);
  const cv = tree(bytes, start, 0, ROOT | (key === undefined ? 0 : KEYED));
  const digest = Buffer.alloc(32);
  for (const [i, word] of cv.entries()) digest.writeInt32LE(word | 0, i * 4);
  return digest;
}
