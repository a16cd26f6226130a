import { types } from 'node:util';
import { invalid, WarmshardError } from '../../errors.js';
import { show } from '../../later/checks.js';
import { table } from '../../native.js';
import { FOOTER_BYTES, hexOf, MAX_ARTIFACT_BYTES, requireArtifact, requireFingerprint } from './rules.js';

/** A digest of what an artifact was made from, 32 bytes: its name in every store. As text it is 64 hex digits. */
export class Fingerprint extends Uint8Array {
  /** Slices of a fingerprint are plain `Uint8Array`s. */
  static get [Symbol.species](): Uint8ArrayConstructor {
    return Uint8Array;
  }

  /** 64 hex digits. */
  override toString(): string {
    return hexOf(this);
  }

  /** 64 hex digits. */
  toJSON(): string {
    return hexOf(this);
  }
}

/**
 * The fingerprint of everything that an artifact depends on: source, options, version of the compiler. It is BLAKE3-256
 * over each part's length (a little-endian 64-bit number) and its bytes; strings are UTF-8. The same text in other
 * parts has another fingerprint.
 *
 * @example
 * const key = fingerprint('my-compiler 3.1.0', source, JSON.stringify(options));
 * let artifact = cache.get(key);
 * if (artifact === undefined) cache.put(key, (artifact = compile(source, options)));
 * @throws WarmshardError `ERR_INVALID_ARG` without parts, and for a part that is neither bytes nor well-formed text
 */
export function fingerprint(...parts: (string | Uint8Array)[]): Fingerprint {
  if (parts.length === 0) throw invalid('a fingerprint needs at least one part');
  const views = parts.map((part, i) => {
    if (types.isUint8Array(part)) return part;
    if (typeof part !== 'string')
      throw invalid(`part ${i} of a fingerprint must be a string or a Uint8Array, not ${show(part)}`);
    // In UTF-8, strings that differ only in a lone surrogate are the same.
    if (!part.isWellFormed()) throw invalid(`part ${i} of a fingerprint holds a lone surrogate`);
    return Buffer.from(part, 'utf8');
  });
  return new Fingerprint(table('pipeline').fingerprintParts(views));
}

/**
 * An artifact as it is stored on disk and sent by a server: the payload, then its 32-byte footer.
 *
 * @throws WarmshardError `ERR_INVALID_ARG`, `ERR_TOO_LARGE`
 */
export function encodeArtifact(fingerprint: Uint8Array, payload: Uint8Array): Uint8Array {
  requireFingerprint(fingerprint);
  requireArtifact(payload);
  if (payload.length > MAX_ARTIFACT_BYTES)
    throw new WarmshardError(
      'ERR_TOO_LARGE',
      `an artifact may have 64 MiB at most, not ${payload.length} bytes; split it, or keep it elsewhere`,
    );
  const sealed = new Uint8Array(payload.length + FOOTER_BYTES);
  sealed.set(payload);
  sealed.set(table('pipeline').artifactFooter(fingerprint, payload), payload.length);
  return sealed;
}

/**
 * The payload of what `encodeArtifact` made, as a view; `undefined` if it is damaged or another fingerprint's.
 *
 * @throws WarmshardError `ERR_INVALID_ARG`
 */
export function decodeArtifact(fingerprint: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
  requireFingerprint(fingerprint);
  requireArtifact(sealed);
  if (!table('pipeline').artifactIsSound(fingerprint, sealed)) return undefined;
  return new Uint8Array(sealed.buffer, sealed.byteOffset, sealed.length - FOOTER_BYTES);
}
