import type { TextDecoder as Decoder } from 'node:util';

let decoder: Decoder | undefined;

/** The text of bytes; throws where they are no UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string {
  // Made when it is needed: that takes longer than opening a shard. jsdom's globals have none.
  if (decoder === undefined) {
    const { TextDecoder } = require('node:util') as typeof import('node:util');
    decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  }
  return decoder.decode(bytes);
}
