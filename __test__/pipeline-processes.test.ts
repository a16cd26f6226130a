// Sixteen compilers started at once, and one read what another was still writing.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { DiskPipelineCache, fingerprint } from 'warmshard';
import { type Inside, startChild } from './helpers/child.js';
import { folder } from './helpers/folder.js';

test('processes that write the same fingerprints at once never show a torn artifact', async (t) => {
  const root = join(folder(t), 'cache');
  const body = (
    { warmshard: { DiskPipelineCache, fingerprint } }: Inside,
    { root, id }: { root: string; id: number },
  ) => {
    const cache = new DiskPipelineCache(root);
    let seen = 0;
    for (let round = 0; round < 150; round++) {
      const name = fingerprint(String(round % 5));
      // Small and large: read and mapped.
      cache.put(name, new Uint8Array(round % 2 === 0 ? 3000 : 300_000).fill(id));
      const found = cache.get(name);
      if (found === undefined) throw new Error('a miss after a put');
      if (!found.every((byte) => byte === found[0])) throw new Error('torn');
      if (found[0] !== id) seen++;
      if (round % 50 === 49) cache.flush();
    }
    return { seen, rejected: cache.metrics().rejectedPuts };
  };
  const children = [1, 2, 3, 4].map((id) => startChild(t, body, { root, id }));
  for (const child of children) {
    const { code, stderr } = await child.exit;
    t.is(code, 0, stderr);
    t.is(((await child.result) as { rejected: number }).rejected, 0);
  }
  t.is(readdirSync(root).length, 5);
  t.is(new DiskPipelineCache(root).metrics().entries, 5);
});

test("a killed writer's temporary file is swept, that of a living one is not", async (t) => {
  const root = join(folder(t), 'cache');
  const body = ({ warmshard: { DiskPipelineCache, fingerprint }, send }: Inside, root: string) => {
    const cache = new DiskPipelineCache(root);
    const payload = new Uint8Array(16 * 1024 * 1024).fill(1);
    send('begun');
    for (let i = 0; ; i++) cache.put(fingerprint(String(i % 3)), payload);
  };
  // The kill may come before the first put has made the folder.
  const temporary = () =>
    existsSync(root) ? readdirSync(root).filter((name) => name.includes('.tmp.')) : [];
  const cache = new DiskPipelineCache(root, { copy: true });
  let left = 0;
  for (let kill = 0; kill < 60 && left === 0; kill++) {
    const child = startChild(t, body, root);
    await child.receive();
    await new Promise((done) => setTimeout(done, 20 + kill * 3));
    cache.metrics();
    t.is((await child.kill()).signal, 'SIGKILL');
    left = temporary().length;
  }
  t.true(left > 0, 'no kill happened during a write');
  const { entries } = cache.metrics();
  t.deepEqual(temporary(), []);
  t.is(readdirSync(root).length, entries);
  for (let i = 0; i < 3; i++) {
    const found = cache.get(fingerprint(String(i)));
    t.true(found === undefined || found.every((byte) => byte === 1));
  }
});

test('a put creates the folder', (t) => {
  const root = join(folder(t), 'a', 'b');
  const cache = new DiskPipelineCache(root);
  cache.put(fingerprint('a'), new Uint8Array(1));
  t.is(cache.metrics().puts, 1);
  cache.clear();
  t.deepEqual(readdirSync(root), []);
});
