// How a value of Keyv becomes the bytes of an entry. Text is kept as it is, in UTF-8, because text is what Keyv's
// serialisers make. Everything else begins with a byte that no UTF-8 begins with, and another one that says what it is.

import { deserialize, serialize } from 'node:v8';
import { isBytes, show } from '../facade/later/checks.js';
import { decodeUtf8 } from '../facade/later/utf8.js';
import { WarmshardError } from '../index.js';

const NO_TEXT = 0xff;
const BUFFER = 1;
const BYTES = 2;
const STRUCTURED = 3;
/** `NO_TEXT` and the kind. */
const HEAD = 2;

/**
 * The bytes of a value.
 *
 * @throws WarmshardError `ERR_CODEC` for what `structuredClone` cannot copy, such as a function
 */
export function encode(value: unknown): Uint8Array {
  if (typeof value === 'string' && value.isWellFormed()) return Buffer.from(value, 'utf8');
  if (isBytes(value)) return headed(Buffer.isBuffer(value) ? BUFFER : BYTES, value);
  try {
    return headed(STRUCTURED, serialize(value));
  } catch (cause) {
    throw new WarmshardError(
      'ERR_CODEC',
      `a Keyv without a serialiser can store what structuredClone can copy, not ${show(value)}`,
      undefined,
      undefined,
      undefined,
      { cause },
    );
  }
}

/** Decodes what `encode` has made, into memory of its own; throws for any other bytes. */
export function decode(bytes: Uint8Array): unknown {
  if (bytes[0] !== NO_TEXT) return decodeUtf8(bytes);
  // A copy, also because V8's deserialiser returns views of its input.
  const body = Buffer.from(bytes.subarray(HEAD));
  switch (bytes[1]) {
    case BUFFER:
      return body;
    case BYTES:
      return new Uint8Array(body);
    case STRUCTURED:
      return deserialize(body);
    default:
      throw new WarmshardError('ERR_CODEC', 'the entry was not stored by KeyvShard');
  }
}

function headed(kind: number, body: Uint8Array): Uint8Array {
  const bytes = Buffer.allocUnsafe(HEAD + body.length);
  bytes[0] = NO_TEXT;
  bytes[1] = kind;
  bytes.set(body, HEAD);
  return bytes;
}
