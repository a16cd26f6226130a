import { constantsCodec } from '../constants.js';
import { WarmshardError } from '../errors.js';
import { isBytes, show, unlike } from './checks.js';
import { decodeUtf8 } from './utf8.js';

/**
 * Turns values into bytes and back. Both functions may throw; what they throw becomes the `cause` of an error with the
 * code `ERR_CODEC`.
 *
 * @example
 * const dates: Codec<Date> = {
 *   encode: (date) => Buffer.from(date.toISOString()),
 *   decode: (bytes) => new Date(Buffer.from(bytes).toString()),
 * };
 */
export interface Codec<V> {
  /** Returns the bytes of a value. They are copied at once. */
  encode(value: V): Uint8Array;
  /**
   * Returns the value of what `encode` made. `bytes` may be a view of mapped memory: copy what you keep and want to
   * stay unchanged.
   */
  decode(bytes: Uint8Array): V;
}

/**
 * The built-in codecs: bytes as they are; well-formed text; what `JSON.stringify` can represent; what `structuredClone`
 * can copy (`node:v8`); and a constants pool (`constantsCodec`).
 */
export type CodecName = 'bytes' | 'utf8' | 'json' | 'structured' | 'constants';

const text: Codec<string> = {
  encode(value) {
    if (typeof value !== 'string') throw new TypeError(`expected a string, not ${show(value)}`);
    if (!value.isWellFormed()) throw new TypeError('a lone surrogate has no UTF-8');
    return Buffer.from(value, 'utf8');
  },
  decode: decodeUtf8,
};

const json: Codec<unknown> = {
  encode(value) {
    const encoded = JSON.stringify(value);
    if (encoded === undefined) throw new TypeError(`there is no JSON for ${show(value)}`);
    return Buffer.from(encoded, 'utf8');
  },
  decode: (bytes) => JSON.parse(decodeUtf8(bytes)),
};

/** What structuredClone takes: Map, Date, BigInt, cycles and so on. */
const structured: Codec<unknown> = {
  encode: (value) => require('node:v8').serialize(value),
  decode: (bytes) => require('node:v8').deserialize(bytes),
};

const named = { utf8: text, json, structured, constants: constantsCodec };

/** `encode` and `decode` with errors that carry `ERR_CODEC`; `undefined` for plain bytes. */
export function resolveCodec<V>(codec: CodecName | Codec<V> | undefined): Codec<V> | undefined {
  if (codec === undefined || codec === 'bytes') return undefined;
  const found = (typeof codec === 'string' ? named[codec] : codec) as unknown as Codec<V> | undefined;
  if (typeof found?.encode !== 'function' || typeof found.decode !== 'function') {
    throw unlike(
      "codec must be 'bytes', 'utf8', 'json', 'structured', 'constants' or an object with the functions encode and decode",
      codec,
    );
  }
  return {
    encode(value) {
      const bytes = attempt('encode', () => found.encode(value));
      if (isBytes(bytes)) return bytes;
      throw new WarmshardError(
        'ERR_CODEC',
        `the codec's encode must return a Uint8Array, not ${show(bytes)}`,
      );
    },
    decode: (bytes) => attempt('decode', () => found.decode(bytes)),
  };
}

function attempt<T>(what: 'encode' | 'decode', run: () => T): T {
  try {
    return run();
  } catch (cause) {
    const told = (cause as Error | undefined | null)?.message;
    const reason = typeof told === 'string' ? told.replace(/\.$/, '') : show(cause);
    const remedy = what === 'decode' ? '; was it stored through another codec?' : '';
    throw new WarmshardError(
      'ERR_CODEC',
      `the codec could not ${what} the value: ${reason}${remedy}`,
      undefined,
      undefined,
      undefined,
      {
        cause,
      },
    );
  }
}
