// A program got the chunk of one compilation together with the constants of another.

import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { ScriptCache } from 'warmshard';
import { pattern, same, text } from './helpers/bytes.js';
import { type Inside, inChild, startChild } from './helpers/child.js';
import { folder } from './helpers/folder.js';
import { FOR_EVER } from './helpers/patience.js';
import { HOST, openScripts, source } from './helpers/scripts.js';

const PARTS = ['program', 'chunk'] as const;

test('two parts are found together or not at all, while another process rewrites them', async (t) => {
  const dir = realpathSync(folder(t));
  const path = join(dir, 'cache.shard');
  const file = source(join(dir, 'x.js'), 'x');
  const writer = startChild(
    t,
    ({ warmshard: { ScriptCache }, send }: Inside, { path, file }: { path: string; file: string }) => {
      const cache = ScriptCache.open(path, {
        host: { name: 'tool', version: '1', binary: false },
        parts: ['program', 'chunk'],
      });
      for (let i = 0; i < 3000; i++) {
        const program = Buffer.from(`${i}`.repeat((i % 50) + 1));
        if (!cache.save(file, { program, chunk: Buffer.from(`${i}`) })) throw new Error('not saved');
        if (i === 0) send('begun');
        if (i % 1000 === 999) cache.clear();
      }
      cache.save(file, { program: Buffer.from('end'), chunk: Buffer.from('end') });
    },
    { path, file },
  );
  await writer.receive();
  const cache = openScripts(t, path, { parts: PARTS });
  let seen = 0;
  for (const end = Date.now() + FOR_EVER; Date.now() < end; ) {
    const found = cache.load(file);
    if (found === undefined) continue;
    const chunk = text(found.chunk) as string;
    if (chunk === 'end') break;
    const expected = chunk.repeat((Number(chunk) % 50) + 1);
    if (text(found.program) !== expected) t.fail(`${text(found.program)} beside ${chunk}`);
    seen++;
  }
  t.is(text(cache.load(file)?.chunk), 'end');
  t.log(`${seen} looks`);
  t.is((await writer.exit).code, 0);
});

test('87 scripts of two parts are all found by the next process', async (t) => {
  const dir = realpathSync(folder(t));
  const path = join(dir, 'cache.shard');
  const files = Array.from({ length: 87 }, (_, i) => source(join(dir, `${i}.js`), 'x'.repeat(i)));
  const found = await inChild(
    t,
    ({ warmshard: { ScriptCache } }, { path, files }) => {
      const cache = ScriptCache.open(path, {
        host: { name: 'tool', version: '1', binary: false },
        parts: ['program', 'chunk'],
      });
      for (const [i, file] of files.entries()) {
        if (cache.load(file) !== undefined) throw new Error('there already');
        const saved = cache.save(file, { program: new Uint8Array(i * 10).fill(i), chunk: new Uint8Array(i) });
        if (!saved) throw new Error(cache.stats().lastSkip);
      }
      return cache.stats();
    },
    { path, files },
  );
  t.like(found, { entries: 87, misses: 87, saves: 87, bytes: (86 * 87 * 11) / 2 });
  const cache = openScripts(t, path, { parts: PARTS });
  for (let round = 0; round < 3; round++)
    for (const [i, file] of files.entries()) {
      const parts = cache.load(file);
      t.deepEqual(Object.keys(parts ?? {}), ['program', 'chunk']);
      same(t, parts?.program, new Uint8Array(i * 10).fill(i));
      same(t, parts?.chunk, new Uint8Array(i));
    }
  t.like(cache.stats(), { hits: 261, misses: 0, stale: 0, corrupt: 0 });
});

test('a cache with other parts finds nothing', (t) => {
  const dir = realpathSync(folder(t));
  const path = join(dir, 'cache.shard');
  const file = source(join(dir, 'x.js'), 'x');
  const two = openScripts(t, path, { parts: PARTS });
  two.save(file, { program: pattern(5, 1), chunk: pattern(3, 2) });
  for (const parts of [undefined, ['code'], ['chunk', 'program'], ['program'], ['program', 'chunk', 'map']])
    t.is(openScripts(t, path, { parts }).load(file), undefined, `${parts}`);
  t.deepEqual(openScripts(t, path).list()[0]?.bytes, { 0: 5, 1: 3 } as never);
  t.deepEqual(two.list()[0]?.bytes, { program: 5, chunk: 3 });
});

test('parts may be empty, and there may be 32 of them', (t) => {
  const dir = realpathSync(folder(t));
  const parts = Array.from({ length: 32 }, (_, i) => `part ${i}`);
  const cache = ScriptCache.open(join(dir, 'cache.shard'), { host: HOST, parts });
  const file = source(join(dir, 'x.js'), '');
  t.true(cache.save(file, Object.fromEntries(parts.map((name, i) => [name, pattern(i % 3, i)]))));
  const found = cache.load(file);
  for (const [i, name] of parts.entries()) same(t, found?.[name], pattern(i % 3, i));
  cache.close();
});

for (const [name, options] of Object.entries({ copy: { copy: true }, read: { access: 'read' as const } }))
  test(`parts are the same if nothing is lent (${name})`, (t) => {
    const dir = realpathSync(folder(t));
    const cache = openScripts(t, join(dir, 'cache.shard'), { parts: PARTS, ...options });
    const file = source(join(dir, 'x.js'), 'x');
    for (let i = 0; i < 100; i++) {
      const [program, chunk] = [pattern(i * 300, i), pattern(i, i)];
      t.true(cache.save(file, { program, chunk }));
      same(t, cache.load(file)?.program, program);
      same(t, cache.load(file)?.chunk, chunk);
    }
  });
