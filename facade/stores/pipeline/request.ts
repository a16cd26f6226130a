import { decodeArtifact } from './fingerprint.js';
import type { Ending } from './requests.js';
import { FOOTER_BYTES } from './rules.js';

/** A "not found" of at most this many bytes is read to its end, so that its connection can be used again. */
const MAX_DRAINED = 16 * 1024;

/** The statuses that `fetch` takes for redirects. */
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];

/** How a request ended, if not as `Ending` says. Each is a counter of `RemoteMetrics`. */
export type Outcome = 'found' | 'notFound' | 'redirected' | 'oversized' | 'rejected';

export type Fetch = (
  url: string,
  init: { headers: Record<string, string>; redirect: 'manual'; signal: AbortSignal },
) => Promise<Response>;

export interface RequestOptions {
  fetch: Fetch;
  headers: Record<string, string>;
  /** Most bytes of the payload. */
  maxBytes: number;
  /** Ends the request early. */
  signal: AbortSignal;
}

/** Asks a server for an artifact. Rejects as `fetch` does. */
export async function request(
  url: string,
  fingerprint: Uint8Array,
  { fetch, headers, maxBytes, signal }: RequestOptions,
): Promise<[Outcome | Ending, Uint8Array?]> {
  const response = await fetch(url, { headers, redirect: 'manual', signal });
  const { status } = response;
  if (response.type === 'opaqueredirect' || REDIRECTS.includes(status)) return ['redirected'];
  if (status === 404 || status === 410) {
    await body(response, MAX_DRAINED);
    return ['notFound'];
  }
  if (status !== 200) return ['failed'];
  const limit = maxBytes + FOOTER_BYTES;
  if (Number(response.headers.get('content-length') ?? 0) > limit) return ['oversized'];
  const sealed = await body(response, limit);
  if (sealed === undefined) return ['oversized'];
  const payload = decodeArtifact(fingerprint, sealed);
  return payload === undefined ? ['rejected'] : ['found', payload];
}

/** The whole body, or `undefined` as soon as it is longer than `limit`. */
async function body(response: Response, limit: number): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = response.body?.getReader();
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true };
    if (done || value === undefined) break;
    length += value.length;
    if (length > limit) return undefined;
    chunks.push(value);
  }
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}
