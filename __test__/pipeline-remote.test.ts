// The cache server was slow one day, then it returned wrong bytes, then it was gone; builds would have been faster without it.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import {
  DiskPipelineCache,
  encodeArtifact,
  fingerprint,
  MemoryPipelineCache,
  type RemoteMetrics,
  RemotePipelineCache,
  type RemotePipelineOptions,
} from 'warmshard';
import { bytes, pattern, same } from './helpers/bytes.js';
import { folder } from './helpers/folder.js';
import { rejectsCode, throwsCode } from './helpers/throws.js';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

async function serve(
  t: ExecutionContext,
  handler: Handler,
): Promise<{ url: string; server: Server; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    handler(request, response);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server, asked };
}

function remote(t: ExecutionContext, url: string, options?: RemotePipelineOptions): RemotePipelineCache {
  const cache = new RemotePipelineCache(url, options);
  t.teardown(() => cache.close());
  return cache;
}

const ONE = fingerprint('one');
const PAYLOAD = pattern(5000, 1);
const SEALED = encodeArtifact(ONE, PAYLOAD);

/** Checks that an outcome was counted, and that every request is counted under exactly one outcome. */
function counted(
  t: ExecutionContext,
  cache: RemotePipelineCache,
  outcome: keyof RemoteMetrics,
  times = 1,
): void {
  const { requests, dropped, waiting, ...outcomes } = cache.metrics().remote;
  t.is(outcomes[outcome as keyof typeof outcomes], times, JSON.stringify(outcomes));
  t.is(
    Object.values(outcomes).reduce((sum, n) => sum + n, 0),
    requests,
  );
  t.is(dropped + waiting, 0);
}

test('an artifact is fetched once, verified, and put into the local store', async (t) => {
  const { url, asked } = await serve(t, (_, response) => response.end(SEALED));
  const local = new MemoryPipelineCache();
  const cache = remote(t, `${url}/some/where`, { local });
  same(t, await cache.get(ONE), PAYLOAD);
  same(t, await cache.get(ONE), PAYLOAD);
  same(t, local.get(ONE), PAYLOAD);
  t.deepEqual(asked, [`GET /some/where/${ONE}.bin`]);
  counted(t, cache, 'found');
  t.like(cache.metrics(), { lookups: 2, hits: 2, misses: 0, puts: 1, entries: 1, hitRatePpm: 1_000_000 });
  cache.flush();
  t.is(cache.metrics().flushes, 1);
});

test('the files of a disk cache can be served unchanged', async (t) => {
  const root = join(folder(t), 'cache');
  const disk = new DiskPipelineCache(root);
  for (const length of [0, 1, 300_000]) disk.put(fingerprint(String(length)), pattern(length, 7));
  const { createReadStream } = await import('node:fs');
  const { url } = await serve(t, (request, response) => createReadStream(root + request.url).pipe(response));
  const local = new DiskPipelineCache(join(folder(t), 'local'));
  const cache = remote(t, url, { local });
  for (const length of [0, 1, 300_000])
    same(t, await cache.get(fingerprint(String(length))), pattern(length, 7));
  t.is(local.metrics().entries, 3);
  local.flush();
});

test('a query in the address and headers are sent', async (t) => {
  const seen: unknown[] = [];
  const { url } = await serve(t, (request, response) => {
    seen.push(request.url, request.headers.authorization);
    response.end(SEALED);
  });
  const cache = remote(t, `${url}/a/?token=1#part`, { headers: { authorization: 'Bearer x' } });
  same(t, await cache.get(ONE), PAYLOAD);
  t.deepEqual(seen, [`/a/${ONE}.bin?token=1`, 'Bearer x']);
});

const MIB = 1024 * 1024;
const misbehaviour: Record<string, [outcome: keyof RemoteMetrics, handler: Handler]> = {
  '404': ['notFound', (_, response) => response.writeHead(404).end('no such thing')],
  '410': ['notFound', (_, response) => response.writeHead(410).end()],
  'an endless 404': ['notFound', (_, response) => endless(response.writeHead(404))],
  '500 with the right bytes': ['failed', (_, response) => response.writeHead(500).end(SEALED)],
  '206 with the right bytes': ['failed', (_, response) => response.writeHead(206).end(SEALED)],
  '204': ['failed', (_, response) => response.writeHead(204).end()],
  '304': ['failed', (_, response) => response.writeHead(304).end()],
  'wrong bytes': ['rejected', (_, response) => response.end(pattern(5032, 2))],
  'one wrong bit': ['rejected', (_, response) => response.end(Buffer.from(SEALED).fill(1, 77, 78))],
  "another one's artifact": [
    'rejected',
    (_, response) => response.end(encodeArtifact(fingerprint('two'), PAYLOAD)),
  ],
  'a page that says welcome': ['rejected', (_, response) => response.end('<html>Log in</html>')],
  nothing: ['rejected', (_, response) => response.end()],
  'a short body': ['rejected', (_, response) => response.end(SEALED.subarray(0, -1))],
  'a body with one more byte': [
    'rejected',
    (_, response) => response.end(Buffer.concat([SEALED, bytes('x')])),
  ],
  'a body shorter than announced': [
    'failed',
    (_, response) => {
      response.writeHead(200, { 'content-length': SEALED.length + 1 });
      response.write(SEALED, () => response.destroy());
    },
  ],
  'a body longer than announced': [
    'rejected',
    (_, response) => {
      response.socket?.end(
        Buffer.concat([bytes('HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 100\r\n\r\n'), SEALED]),
      );
    },
  ],
  'a connection cut in the headers': ['failed', (request) => request.socket.destroy()],
  'no HTTP at all': ['failed', (request) => request.socket.end('220 smtp ready\r\n')],
  'too much, and it says so': [
    'oversized',
    (_, response) => response.writeHead(200, { 'content-length': MIB + 33 }).flushHeaders(),
  ],
  'too much, and it does not say so': ['oversized', (_, response) => endless(response)],
  'a redirect to the right bytes': [
    'redirected',
    (request, response) =>
      request.url === '/right' ? response.end(SEALED) : response.writeHead(302, { location: '/right' }).end(),
  ],
  'a redirect to itself': [
    'redirected',
    (request, response) => response.writeHead(308, { location: request.url }).end(),
  ],
  'a redirect to elsewhere': [
    'redirected',
    (_, response) => response.writeHead(301, { location: 'http://169.254.169.254/' }).end(SEALED),
  ],
  'something that is no gzip': [
    'failed',
    (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(SEALED),
  ],
  'a small answer that unpacks to a giant': [
    'oversized',
    (_, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(8 * MIB))),
  ],
};

/** Sends data until the connection is closed. */
function endless(response: ServerResponse): void {
  const chunk = Buffer.alloc(64 * 1024);
  let open = true;
  response.on('close', () => {
    open = false;
  });
  const more = () => {
    while (open && response.write(chunk)) {}
    if (open) response.once('drain', more);
  };
  more();
}

for (const [what, [outcome, handler]] of Object.entries(misbehaviour))
  test(`a miss: ${what}`, async (t) => {
    const { url, asked } = await serve(t, handler);
    const local = new MemoryPipelineCache();
    const cache = remote(t, url, { local, maxBytes: MIB });
    t.is(await cache.get(ONE), undefined);
    counted(t, cache, outcome);
    t.is(asked.length, 1, 'one request, to this server');
    t.like(cache.metrics(), { lookups: 1, misses: 1, entries: 0, puts: 0 });
  });

test('a request that takes too long is a miss, whether for its headers or its body', async (t) => {
  const stuck: Record<string, Handler> = {
    headers: () => {},
    body: (_, response) =>
      response.writeHead(200, { 'content-length': SEALED.length }).write(SEALED.subarray(0, 100)),
    drops: (_, response) => {
      response.writeHead(200, { 'content-length': SEALED.length });
      let sent = 0;
      const timer = setInterval(() => response.write(SEALED.subarray(sent, ++sent)), 20);
      response.on('close', () => clearInterval(timer));
    },
  };
  for (const handler of Object.values(stuck)) {
    const { url } = await serve(t, handler);
    const cache = remote(t, url, { timeout: 150 });
    // None of these responses ends, so without a timeout the test would hang.
    t.is(await cache.get(ONE), undefined);
    counted(t, cache, 'timedOut');
  }
});

test('a server that is not there is a miss', async (t) => {
  const { url, server } = await serve(t, () => {});
  await new Promise((done) => server.close(done));
  const cache = remote(t, url);
  t.is(await cache.get(ONE), undefined);
  counted(t, cache, 'failed');
});

test('a server that recovers is used again', async (t) => {
  let good = false;
  const { url } = await serve(t, (_, response) =>
    good ? response.end(SEALED) : response.writeHead(503).end(),
  );
  const cache = remote(t, url);
  t.is(await cache.get(ONE), undefined);
  good = true;
  same(t, await cache.get(ONE), PAYLOAD);
});

test('a compressed response is decompressed', async (t) => {
  const { url } = await serve(t, (_, response) =>
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(SEALED)),
  );
  same(t, await remote(t, url).get(ONE), PAYLOAD);
});

test('connections are reused, also after a 404', async (t) => {
  const ports = new Set<number | undefined>();
  const { url } = await serve(t, (request, response) => {
    ports.add(request.socket.remotePort);
    response.writeHead(404).end('not found');
  });
  const cache = remote(t, url);
  for (let i = 0; i < 5; i++) await cache.get(ONE);
  // The next request may come before the connection is free.
  t.true(ports.size < 5, `${ports.size}`);
});

test('simultaneous gets of one fingerprint share a request', async (t) => {
  const { url, asked } = await serve(t, (_, response) => setTimeout(() => response.end(SEALED), 50));
  const cache = remote(t, url);
  const mine = new Uint8Array(ONE);
  const first = cache.get(mine);
  const rest = Array.from({ length: 20 }, () => cache.get(ONE));
  mine.fill(0);
  for (const found of await Promise.all([first, ...rest])) same(t, found, PAYLOAD);
  t.is(asked.length, 1);
  t.like(cache.metrics(), { lookups: 21, hits: 21 });
  t.is(cache.metrics().remote.requests, 1);
  await cache.get(ONE);
  t.is(asked.length, 2, 'a later get makes a new request');
});

test('there are never more requests at a time than allowed, and all are answered, without a warning', async (t) => {
  const warn = (warning: Error) => t.fail(warning.message);
  process.on('warning', warn);
  t.teardown(() => process.off('warning', warn));
  let now = 0;
  let most = 0;
  const artifacts = new Map(
    Array.from({ length: 40 }, (_, i) => {
      const print = fingerprint(String(i));
      return [`/${print}.bin`, { print, sealed: encodeArtifact(print, pattern(100, i)) }];
    }),
  );
  // Answers nothing until the allowed number of requests has arrived, and then waits, so that one more would be seen.
  const held: (() => void)[] = [];
  const { url } = await serve(t, (request, response) => {
    most = Math.max(most, ++now);
    held.push(() => {
      now--;
      response.end(artifacts.get(request.url as string)?.sealed);
    });
    if (held.length === 20) {
      setTimeout(() => {
        for (const answer of held.splice(0)) answer();
      }, 20);
    }
  });
  const cache = remote(t, url, { maxConcurrent: 20 });
  const prints = [...artifacts.values()].map(({ print }) => print);
  const all = prints.map((print) => cache.get(print));
  t.is(cache.metrics().remote.waiting, 40);
  for (const [i, found] of (await Promise.all(all)).entries()) same(t, found, pattern(100, i));
  t.is(most, 20);
  counted(t, cache, 'found', 40);
});

test('requests beyond the longest queue are dropped', async (t) => {
  const cache = remote(t, 'http://x', { maxConcurrent: 1, fetch: () => new Promise(() => {}) });
  const print = new Uint8Array(32);
  const all = Array.from({ length: 16_390 }, (_, i) => {
    new DataView(print.buffer).setUint32(0, i);
    return cache.get(print);
  });
  t.like(cache.metrics().remote, { waiting: 16_385, dropped: 5 });
  cache.close();
  t.true((await Promise.all(all)).every((found) => found === undefined));
  t.like(cache.metrics().remote, { waiting: 0, requests: 1, aborted: 1 });
});

test('close aborts running requests, and those that wait', async (t) => {
  const { url, asked } = await serve(t, () => {});
  const cache = remote(t, url, { maxConcurrent: 2 });
  const all = Array.from({ length: 5 }, (_, i) => cache.get(fingerprint(String(i))));
  while (asked.length < 2) await new Promise((done) => setTimeout(done, 5));
  cache.close();
  cache.close();
  t.deepEqual(await Promise.all(all), Array(5).fill(undefined));
  t.is(asked.length, 2);
  counted(t, cache, 'aborted', 2);
  await rejectsCode(t, 'ERR_CLOSED', () => cache.get(ONE));
  throwsCode(t, 'ERR_CLOSED', () => cache.flush());
});

test('a custom fetch is used, and its errors are misses', async (t) => {
  const asked: string[] = [];
  const good = remote(t, 'https://cache.example/x', {
    fetch: async (url, init) => {
      asked.push(`${url} ${init?.redirect}`);
      return new Response(new Uint8Array(SEALED));
    },
  });
  same(t, await good.get(ONE), PAYLOAD);
  t.deepEqual(asked, [`https://cache.example/x/${ONE}.bin manual`]);
  const bad: unknown[] = [
    () => {
      throw new Error('at once');
    },
    () => Promise.reject(new Error('later')),
    () => undefined,
    () => ({ status: 200 }),
    () =>
      Promise.resolve(new Response(new ReadableStream({ pull: (it) => it.error(new Error('in the body')) }))),
  ];
  for (const fetch of bad) {
    const cache = remote(t, 'http://x', { fetch: fetch as typeof globalThis.fetch });
    t.is(await cache.get(ONE), undefined);
    counted(t, cache, 'failed');
  }
  const deaf = remote(t, 'http://x', { fetch: () => new Promise(() => {}), timeout: 50 });
  t.is(await deaf.get(ONE), undefined);
  counted(t, deaf, 'timedOut');
});

test('wrong arguments are refused', async (t) => {
  for (const url of [
    '',
    'cache.example',
    'ftp://x/',
    'file:///etc',
    'http://user:pass@x/',
    'https://',
    undefined,
    {},
  ])
    throwsCode(t, 'ERR_INVALID_ARG', () => new RemotePipelineCache(url as string), String(url));
  const wrong = [
    ...[
      null,
      1,
      { timeout: 0 },
      { timeout: 2 ** 31 },
      { timeout: '1' },
      { maxBytes: -1 },
      { maxBytes: 2 ** 27 },
    ],
    ...[{ maxConcurrent: 0 }, { maxConcurrent: 10_000 }, { fetch: 1 }, { local: {} }, { headers: 1 }],
    ...[{ headers: { 'a b': 'x' } }, { headers: { a: 'x\r\nb: y' } }, { headers: { a: 1 } }],
  ];
  for (const options of wrong)
    throwsCode(
      t,
      'ERR_INVALID_ARG',
      () => new RemotePipelineCache('http://x', options as never),
      JSON.stringify(options),
    );
  const cache = remote(t, 'http://x');
  for (const print of [undefined, 'a', new Uint8Array(31)])
    await rejectsCode(t, 'ERR_INVALID_ARG', () => cache.get(print as Uint8Array));
  t.is(cache.metrics().lookups, 0);
});
