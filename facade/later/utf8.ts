import type { TextDecoder as Decoder } from 'node:util';

let decoder: Decoder | undefined;

/** Decodes UTF-8; throws if the bytes are no UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string {
  // Made on demand, because that takes longer than opening a shard. Required, because jsdom's globals have none.
  if (decoder === undefined) {
    const { TextDecoder } = require('node:util') as typeof import('node:util');
    decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  }
  return decoder.decode(bytes);
}
