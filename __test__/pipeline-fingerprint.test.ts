// Two builds with different options got the same fingerprint, and one of them shipped the other's code.

import test from 'ava';
import fc from 'fast-check';
import { decodeArtifact, encodeArtifact, Fingerprint, fingerprint } from 'warmshard';
import { blake3 } from './helpers/blake3.js';
import { bytes, pattern, same } from './helpers/bytes.js';
import { throwsCode } from './helpers/throws.js';

const hex = (value: Uint8Array) => Buffer.from(value).toString('hex');

/** The fingerprint as docs/pipeline.md defines it. */
function expected(parts: readonly (string | Uint8Array)[]): string {
  const pieces = parts.flatMap((part) => {
    const piece = Buffer.from(part as string);
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(piece.length));
    return [length, piece];
  });
  return hex(blake3(Buffer.concat(pieces)));
}

test("the reference implementation gives the vectors of BLAKE3's paper", (t) => {
  t.is(hex(blake3(bytes(''))), 'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262');
  t.is(hex(blake3(new Uint8Array(1))), '2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213');
});

test('a fingerprint is BLAKE3 over length-prefixed parts', (t) => {
  const part = fc.oneof(fc.string({ unit: 'grapheme' }), fc.uint8Array({ maxLength: 3000 }));
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 6 }), (parts) => {
      t.is(fingerprint(...parts).toString(), expected(parts));
    }),
    { numRuns: 60 },
  );
  t.is(fingerprint('ä').toString(), fingerprint(bytes('ä')).toString(), 'strings are UTF-8');
});

test('parts that are split or ordered differently give another fingerprint; strings and equal bytes the same', (t) => {
  const all = [['ab', 'c'], ['a', 'bc'], ['abc'], ['abc', ''], ['', 'abc'], [''], ['', ''], ['c', 'ab']];
  const prints = new Set(all.map((parts) => fingerprint(...parts).toString()));
  t.is(prints.size, all.length);
  t.is(String(fingerprint(Buffer.from('abc'))), String(fingerprint('abc')));
});

test('a fingerprint has 32 bytes, and 64 hex digits as text', (t) => {
  const one = fingerprint('a', bytes('b'));
  t.true(one instanceof Fingerprint && one instanceof Uint8Array);
  t.is(one.length, 32);
  t.regex(String(one), /^[0-9a-f]{64}$/);
  t.is(`${one}`, hex(one));
  t.is(JSON.stringify({ one }), `{"one":"${hex(one)}"}`);
  const part = one.subarray(0, 4);
  t.false(part instanceof Fingerprint, 'a part of a fingerprint is not one');
  t.is(part.length, 4);
  t.deepEqual([...one.slice(30)], [...one].slice(30));
  t.is(one.map(() => 1).toString(), Array(32).fill(1).join(','));
  const view = fingerprint(pattern(100, 1).subarray(10, 20));
  t.is(String(view), String(fingerprint(pattern(100, 1).slice(10, 20))), 'a view is its own bytes');
});

test('invalid parts are refused', (t) => {
  throwsCode(t, 'ERR_INVALID_ARG', () => fingerprint());
  const wrong: unknown[] = [1, null, undefined, {}, [], new ArrayBuffer(4), new DataView(new ArrayBuffer(4))];
  wrong.push(new Uint16Array(2), new String('a'), Symbol.iterator, 10n, () => 'a');
  for (const part of wrong) throwsCode(t, 'ERR_INVALID_ARG', () => fingerprint('a', part as string));
  for (const part of ['\ud800', 'a\udc00b', '\udc00\ud800'])
    throwsCode(t, 'ERR_INVALID_ARG', () => fingerprint(part));
  const gone = new Uint8Array(8);
  structuredClone(gone, { transfer: [gone.buffer] });
  throwsCode(t, 'ERR_INVALID_ARG', () => fingerprint(gone));
});

test('an encoded artifact is payload and footer, and decodes with its own fingerprint only', (t) => {
  for (const length of [0, 1, 63, 64, 65, 1023, 1024, 1025, 2048, 2049, 5000, 70_000]) {
    const payload = pattern(length, length);
    const one = fingerprint(String(length));
    const sealed = encodeArtifact(one, payload);
    t.is(sealed.length, length + 32);
    same(t, sealed.subarray(0, length), payload);
    same(t, sealed.subarray(length), blake3(payload, one));
    same(t, decodeArtifact(one, sealed), payload);
    t.is(decodeArtifact(fingerprint('other'), sealed), undefined);
    sealed[length >> 1] = (sealed[length >> 1] as number) ^ 1;
    t.is(decodeArtifact(one, sealed), undefined);
  }
  const one = fingerprint('a');
  for (let length = 0; length < 32; length++) t.is(decodeArtifact(one, new Uint8Array(length)), undefined);
  throwsCode(t, 'ERR_TOO_LARGE', () => encodeArtifact(one, new Uint8Array(64 * 1024 * 1024 + 1)));
  throwsCode(t, 'ERR_INVALID_ARG', () => encodeArtifact(one.subarray(1), bytes('a')));
  throwsCode(t, 'ERR_INVALID_ARG', () => decodeArtifact(one, 'text' as never));
});
