import { invalid } from '../errors.js';
import { type Handle, hot, META_AT } from '../handle.js';
import { isTime, writeSource } from '../validator.js';
import { isBytes, object, unlike } from './checks.js';

/**
 * What an entry can be put with, and what a look-up can ask for: a source's modification time (and its size, if both
 * have one), a digest of its content, or at most 64 bytes that only the caller understands. A look-up with a validator
 * finds only an entry with an equal one.
 */
export type Validator =
  | {
      /** Whole seconds since the epoch. */
      mtimeSec: number;
      /** Nanoseconds of the second, 0 to 999999999. */
      mtimeNsec: number;
      /** Bytes. */
      size?: number | undefined;
    }
  | {
      /** 1 to 64 bytes. */
      digest: Uint8Array;
    }
  | Uint8Array;

/** What an entry carries besides its value. */
export interface EntryMeta {
  /** Compared with the validator of a `get`. Default: none; then a `get` with a validator does not find the entry. */
  validator?: Validator | undefined;
  /** When the entry expires, in milliseconds since the epoch (`Date.now() + ...`). Default: never. */
  expiresAt?: number | undefined;
}

// The metadata block; src-rs/binding/exchange.rs reads it. Six float64: kind, expiry, seconds, nanoseconds,
// size (-1: none), count of bytes; then up to 64 bytes.
export const META_LEN = 112;
const BYTES_AT = 48;
const MAX_BYTES = 64;
enum Kind {
  None = 0,
  // 1 is MTIME of ../validator.ts.
  Digest = 2,
  Opaque = 3,
}

/** A metadata block, which can be written again and again. */
export class MetaBlock {
  readonly #numbers: Float64Array;
  readonly #bytes: Uint8Array;

  constructor(buffer: ArrayBufferLike, offset: number) {
    this.#numbers = new Float64Array(buffer, offset, BYTES_AT / 8);
    this.#bytes = new Uint8Array(buffer, offset + BYTES_AT, META_LEN - BYTES_AT);
  }

  /** Writes a validator without an expiry. */
  writeValidator(validator: Validator): void {
    if (isBytes(validator)) this.#writeBytes(Kind.Opaque, validator);
    else if (typeof validator !== 'object' || validator === null) throw wrongValidator();
    else if ('mtimeSec' in validator) {
      if (!writeSource(this.#numbers, validator))
        throw invalid(
          isTime(validator.mtimeSec, validator.mtimeNsec)
            ? "a validator's size must be a whole number of bytes"
            : 'a validator needs an integer mtimeSec and an mtimeNsec of 0 to 999999999',
        );
    } else {
      const { digest } = validator;
      if (!(isBytes(digest) && digest.length > 0)) throw wrongValidator();
      this.#writeBytes(Kind.Digest, digest);
    }
  }

  #writeBytes(kind: Kind, bytes: Uint8Array): void {
    if (bytes.length > MAX_BYTES)
      throw invalid(
        `a validator may be ${MAX_BYTES} bytes long at most, not ${bytes.length}; use a digest of it`,
      );
    try {
      this.#bytes.set(bytes);
    } catch {
      throw invalid("a validator's memory was transferred; give a Uint8Array whose memory is still there");
    }
    this.#numbers[0] = kind;
    this.#numbers[1] = 0;
    this.#numbers[5] = bytes.length;
  }

  write(meta: EntryMeta): void {
    object('meta', meta);
    const { validator, expiresAt } = meta;
    if (expiresAt !== undefined && !(Number.isFinite(expiresAt) && expiresAt >= 0))
      throw unlike('expiresAt must be a number of milliseconds since the epoch', expiresAt);
    if (validator === undefined) {
      this.#numbers.fill(0);
      this.#numbers[4] = -1;
    } else this.writeValidator(validator);
    if (expiresAt !== undefined) {
      // Zero means never. One millisecond after the epoch has passed just as well.
      this.#numbers[1] = Math.max(1, Math.floor(expiresAt));
    }
  }
}

/** The metadata block of a shard's calls. */
export function metaOf(handle: Handle): MetaBlock {
  const more = hot(handle);
  more.meta ??= new MetaBlock(handle.first.exchange, META_AT);
  return more.meta;
}

function wrongValidator() {
  return invalid(
    'a validator must be { mtimeSec, mtimeNsec, size? }, { digest: Uint8Array } or a Uint8Array of at most 64 bytes',
  );
}
