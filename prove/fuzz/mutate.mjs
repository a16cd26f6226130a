// Random changes of a file, aimed at its structures: numbers at the limits of their types, other offsets, pieces of other files.

const EDGES = [0, 7, 8, 16, 31, 32, 44, 62, 63].flatMap((bits) => [
  1n << BigInt(bits),
  (1n << BigInt(bits)) - 1n,
]);

/**
 * @param {Buffer} bytes
 * @param {Buffer} other a file of the same store
 * @param {(below: number) => number} next
 * @returns {Buffer}
 */
export function mutate(bytes, other, next) {
  let out = Buffer.from(bytes);
  for (let i = 0; i <= next(6); i++) {
    if (out.length < 16) return Buffer.alloc(next(9000), next(256));
    // Headers, root slots and the sidecar's page are at the front; frames begin at multiples of 16.
    const at = next(next(2) === 0 ? Math.min(out.length, 256) : out.length);
    const word = Math.min(at & ~7, out.length - 8);
    const changes = [
      () => out.writeUInt8((out[at] ?? 0) ^ (1 << next(8)), at),
      () => out.writeBigUInt64LE(EDGES[next(EDGES.length)] ?? 0n, word),
      () => out.writeBigUInt64LE(BigInt(next(out.length + 64)) & ~15n, word),
      () => (out = out.subarray(0, next(out.length + 1))),
      () => (out = Buffer.concat([out, Buffer.alloc(next(5000), next(3) === 0 ? next(256) : 0)])),
      () => out.copy(out, at, next(out.length) & ~15),
      () => other.copy(out, at & ~15, next(other.length + 1) & ~15),
      () => out.fill(0, at, Math.min(out.length, at + next(600))),
    ];
    changes[next(changes.length)]?.();
  }
  return out;
}
