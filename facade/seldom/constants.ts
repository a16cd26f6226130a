import type { Constant } from '../constants.js';
import { WarmshardError } from '../errors.js';
import { isBytes } from '../later/checks.js';
import type { Codec } from '../later/codec.js';
import { decodeUtf8 } from '../later/utf8.js';

// Layout, version 1: 0xC7, version, count of constants; then for each a tag and what belongs to it. Counts and lengths
// are LEB128. Every constant takes at least one byte, so that a count beyond the bytes at hand is damage.
const MARK = 0xc7;
const VERSION = 1;
enum Tag {
  Undefined = 0,
  /** A safe integer, not negative: LEB128. */
  Integer = 1,
  /** A negative one: LEB128 of -1 minus it. */
  Negative = 2,
  /** Any other number: IEEE 754, 64 bits, little-endian. */
  Float = 3,
  /** A bigint: 64 bits, two's complement, little-endian. */
  BigInt = 4,
  /** A string: bytes, then UTF-8. */
  Utf8 = 5,
  /** One with lone surrogates: bytes, then UTF-16, little-endian. */
  Utf16 = 6,
}

/** See `constantsCodec` in ../constants.ts. */
export const constants: Codec<Constant[]> = {
  encode(constants) {
    if (!Array.isArray(constants)) throw refused(`a constants pool is an array, not ${describe(constants)}`);
    const count = constants.length;
    let size = 2 + varintSize(count);
    // Each element is read once: a getter or a proxy could return something else the next time.
    const items: Constant[] = Array.from({ length: count });
    for (let i = 0; i < count; i++) {
      items[i] = constants[i];
      size += sizeOf(items[i], i);
    }
    const out = new Writer(size);
    out.byte(MARK);
    out.byte(VERSION);
    out.varint(count);
    for (const item of items) write(out, item);
    return out.bytes;
  },
  decode(bytes) {
    if (!isBytes(bytes)) throw refused(`a constants pool is read from bytes, not ${describe(bytes)}`);
    const input = new Reader(bytes);
    if (input.byte() !== MARK)
      throw refused('these bytes are no constants pool: constantsCodec has not encoded them');
    const version = input.byte();
    if (version !== VERSION)
      throw refused(
        `a constants pool of version ${version}; this build reads version ${VERSION}: encode it again`,
      );
    const count = input.varint();
    if (count > input.left) throw damaged();
    const items: Constant[] = [];
    for (let i = 0; i < count; i++) items.push(read(input));
    if (input.left !== 0) throw damaged();
    return items;
  },
};

/** How many bytes a constant takes. Throws for anything that is not a constant. */
function sizeOf(value: Constant, index: number): number {
  switch (typeof value) {
    case 'undefined':
      return 1;
    case 'number':
      return isInteger(value) ? 1 + varintSize(value < 0 ? -1 - value : value) : 9;
    case 'bigint':
      if (BigInt.asIntN(64, value) === value) return 9;
      throw refused(`constant ${index} is a bigint of more than 64 bits; encode it as a string`);
    case 'string': {
      const length = value.isWellFormed() ? Buffer.byteLength(value) : value.length * 2;
      return 1 + varintSize(length) + length;
    }
    default:
      throw refused(
        `constant ${index} is ${describe(value)}; a constants pool takes undefined, numbers, bigints and strings`,
      );
  }
}

function write(out: Writer, value: Constant): void {
  if (value === undefined) out.byte(Tag.Undefined);
  else if (typeof value === 'bigint') out.bigint(value);
  else if (typeof value === 'string') out.text(value);
  else if (!isInteger(value)) out.float(value);
  else {
    out.byte(value < 0 ? Tag.Negative : Tag.Integer);
    out.varint(value < 0 ? -1 - value : value);
  }
}

function read(input: Reader): Constant {
  switch (input.byte()) {
    case Tag.Undefined:
      return undefined;
    case Tag.Integer:
      return input.varint();
    case Tag.Negative:
      return -1 - input.varint();
    case Tag.Float:
      return input.float();
    case Tag.BigInt:
      return input.bigint();
    case Tag.Utf8:
      return input.utf8();
    case Tag.Utf16:
      return input.utf16();
    default:
      throw damaged();
  }
}

function isInteger(value: number): boolean {
  return Number.isSafeInteger(value) && !Object.is(value, -0);
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size++;
  return size;
}

/** Writes into memory of the right size. */
class Writer {
  readonly bytes: Buffer;
  #at = 0;

  constructor(size: number) {
    this.bytes = Buffer.allocUnsafe(size);
  }

  byte(value: number): void {
    this.bytes[this.#at++] = value;
  }

  varint(value: number): void {
    let rest = value;
    // Not `>>`, which cuts off everything beyond 32 bits.
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.byte((rest % 0x80) | 0x80);
    this.byte(rest);
  }

  float(value: number): void {
    this.byte(Tag.Float);
    this.#at = this.bytes.writeDoubleLE(value, this.#at);
  }

  bigint(value: bigint): void {
    this.byte(Tag.BigInt);
    this.#at = this.bytes.writeBigInt64LE(value, this.#at);
  }

  text(value: string): void {
    const wellFormed = value.isWellFormed();
    this.byte(wellFormed ? Tag.Utf8 : Tag.Utf16);
    this.varint(wellFormed ? Buffer.byteLength(value) : value.length * 2);
    this.#at += this.bytes.write(value, this.#at, wellFormed ? 'utf8' : 'utf16le');
  }
}

/** Reads bytes that may be damaged. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  byte(): number {
    if (this.left < 1) throw damaged();
    return this.#bytes[this.#at++] as number;
  }

  varint(): number {
    let value = 0;
    for (let unit = 1; ; unit *= 0x80) {
      const byte = this.byte();
      value += (byte & 0x7f) * unit;
      if (!Number.isSafeInteger(value)) throw damaged();
      if (byte < 0x80) return value;
      // The eighth byte of seven bits is the last that a safe integer can have.
      if (unit >= 2 ** 49) throw damaged();
    }
  }

  float(): number {
    return this.#take(8).readDoubleLE(0);
  }

  bigint(): bigint {
    return this.#take(8).readBigInt64LE(0);
  }

  utf8(): string {
    const bytes = this.#take(this.varint());
    const text = bytes.toString('utf8');
    if (!text.includes('\ufffd')) return text;
    // This character may be part of the string, or stand for bytes that are no UTF-8.
    try {
      return decodeUtf8(bytes);
    } catch {
      throw damaged();
    }
  }

  utf16(): string {
    const length = this.varint();
    if (length % 2 !== 0) throw damaged();
    return this.#take(length).toString('utf16le');
  }

  #take(length: number): Buffer {
    if (length > this.left) throw damaged();
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}

function refused(message: string): WarmshardError {
  return new WarmshardError('ERR_CODEC', message);
}

function damaged(): WarmshardError {
  return refused('the bytes of a constants pool are damaged; encode it again');
}

function describe(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  const type = typeof value;
  return type === 'undefined' ? type : `${type === 'object' ? 'an' : 'a'} ${type}`;
}
