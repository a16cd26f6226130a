// How an artifact goes through Keyv: payload and footer as one base64 string. A string is what every serialiser,
// compression and engine leaves as it is. A Buffer would become base64 in Keyv's own serialiser, and an object of
// numbers in others.

import { isBytes } from '../facade/later/checks.js';
import { FOOTER_BYTES } from '../facade/stores/pipeline/rules.js';
import { decodeArtifact } from '../index.js';

/** What is given to Keyv. */
export function send(sealed: Uint8Array): string {
  return Buffer.from(sealed.buffer, sealed.byteOffset, sealed.length).toString('base64');
}

/** What Keyv has answered with: anything at all. May throw. */
export function receive(
  answer: unknown,
  fingerprint: Uint8Array,
  maxBytes: number,
): ['found' | 'notFound' | 'oversized' | 'rejected', Uint8Array?] {
  if (answer === undefined || answer === null) return ['notFound'];
  const limit = maxBytes + FOOTER_BYTES;
  let sealed: Uint8Array;
  if (typeof answer === 'string') {
    // Checked before anything is allocated: four characters for each three bytes.
    if (answer.length > Math.ceil(limit / 3) * 4) return ['oversized'];
    sealed = Buffer.from(answer, 'base64');
  } else if (isBytes(answer)) {
    // Somebody else's writer. Copied, as the engine may go on to use its memory.
    if (answer.length > limit) return ['oversized'];
    sealed = new Uint8Array(answer);
  } else return ['rejected'];
  if (sealed.length > limit) return ['oversized'];
  const artifact = decodeArtifact(fingerprint, sealed);
  return artifact === undefined ? ['rejected'] : ['found', artifact];
}
