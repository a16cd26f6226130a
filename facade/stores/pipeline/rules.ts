// What fingerprints and artifacts are, wherever they are kept. No native code is needed to say so.

import { types } from 'node:util';
import { invalid } from '../../errors.js';
import { unlike } from '../../later/checks.js';

/** Bytes of a fingerprint, and of an artifact's footer. */
const DIGEST_BYTES = 32;
/** Largest artifact; see MAX_ARTIFACT_BYTES in src-rs/core/src/limits.rs. */
export const MAX_ARTIFACT_BYTES = 64 * 1024 * 1024;
export const FOOTER_BYTES = DIGEST_BYTES;

export function requireFingerprint(value: unknown): asserts value is Uint8Array {
  if (!types.isUint8Array(value) || value.length !== DIGEST_BYTES)
    throw invalid('a fingerprint must be a Uint8Array of 32 bytes; fingerprint(...parts) makes one');
}

export function requireArtifact(value: unknown): asserts value is Uint8Array {
  if (!types.isUint8Array(value)) throw unlike('an artifact must be a Uint8Array', value);
}

/** 64 hex digits. */
export function hexOf(fingerprint: Uint8Array): string {
  return view(fingerprint).toString('hex');
}

/** The shortest string that stands for a fingerprint: one character a byte. */
export function keyOf(fingerprint: Uint8Array): string {
  return view(fingerprint).toString('latin1');
}

function view(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
