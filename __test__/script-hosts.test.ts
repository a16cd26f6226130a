// An update of a host was rolled back, and the old version ran the bytecode of the new one.

import { realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { AutoloadCache, type Host, ScriptCache } from 'warmshard';
import { bytes, text } from './helpers/bytes.js';
import { folder } from './helpers/folder.js';
import { code, openScripts, source } from './helpers/scripts.js';
import { throwsCode } from './helpers/throws.js';

test('a host binary that is replaced by an older one is another host: times are compared for equality', (t) => {
  const dir = realpathSync(folder(t));
  const path = join(dir, 'cache.shard');
  const binary = source(join(dir, 'tool'), 'new build', 2000);
  const file = source(join(dir, 'x.js'), 'x');
  const load = () => {
    using cache = ScriptCache.open(path, { host: { name: 'tool', version: '1', binary } });
    return text(cache.load(file)?.code);
  };
  {
    using cache = ScriptCache.open(path, { host: { name: 'tool', version: '1', binary } });
    t.true(cache.save(file, code('by the new build')));
  }
  t.is(load(), 'by the new build');
  source(binary, 'old build', 1000);
  t.is(load(), undefined, 'older');
  source(binary, 'new build', 3000);
  t.is(load(), undefined, 'newer');
  source(binary, 'new build!', 2000);
  t.is(load(), undefined, 'of another size');
  source(binary, 'new build', 2000);
  t.is(load(), 'by the new build');
});

test('if the host binary is missing, nothing is found and nothing is saved', (t) => {
  const dir = realpathSync(folder(t));
  const path = join(dir, 'cache.shard');
  const binary = source(join(dir, 'tool'), 'build');
  const file = source(join(dir, 'x.js'), 'x');
  const host = { name: 'tool', version: '1', binary };
  openScripts(t, path, { host }).save(file, code('x'));
  rmSync(binary);
  const cache = openScripts(t, path, { host });
  t.is(cache.load(file), undefined);
  t.is(cache.get(file, 1_600_000_000, 0), undefined);
  t.false(cache.save(file, code('y')));
  cache.put(file, 1_600_000_000, 0, code('y'));
  t.like(cache.stats(), { entries: 1, saves: 0, skippedSaves: 2 });
  t.regex(cache.stats().lastSkip ?? '', /binary/);
});

test('another schema makes everything stale, and entries of the old one are still there', (t) => {
  const dir = realpathSync(folder(t));
  const path = join(dir, 'cache.shard');
  const file = source(join(dir, 'x.js'), 'x');
  const schemas = [undefined, 0, 1, 2, 0xffff_ffff];
  const open = (schema: number | undefined) =>
    openScripts(t, path, { host: { name: 'tool', version: '1', binary: false, schema } });
  for (const schema of schemas) {
    t.is(open(schema).load(file), undefined, `${schema}`);
    t.true(open(schema).save(file, code(`of ${schema}`)));
  }
  for (const schema of schemas) t.is(text(open(schema).load(file)?.code), `of ${schema}`);
  for (const schema of [-1, 1.5, 2 ** 32, Number.NaN, '1' as unknown as number])
    throwsCode(t, 'ERR_INVALID_ARG', () => open(schema));
});

test('an AutoloadCache distinguishes hosts in the same way', (t) => {
  const dir = folder(t);
  const open = (host: Partial<Host>) => {
    const cache = AutoloadCache.open(join(dir, 'cache.shard'), {
      host: { name: 'tool', version: '1', binary: false, ...host },
    });
    t.teardown(() => cache.close());
    return cache;
  };
  open({ schema: 1 }).putOne('f', bytes('of 1'));
  t.is(open({ schema: 2 }).get('f'), undefined);
  t.deepEqual(open({ schema: 2 }).missing(['f']), ['f']);
  t.deepEqual([...open({ schema: 2 }).cachedNames()], []);
  t.is(open({ schema: 2 }).entryCount, 0);
  t.is(open({ schema: 2 }).stats().entries, 1);
  t.is(text(open({ schema: 1 }).get('f')), 'of 1');
  const binary = source(join(dir, 'tool'), 'build', 2000);
  open({ binary }).putOne('f', bytes('of the build'));
  source(binary, 'build', 1000);
  t.is(open({ binary }).get('f'), undefined);
  rmSync(binary);
  t.is(open({ binary }).get('f'), undefined);
  open({ binary }).putOne('g', bytes('x'));
  t.deepEqual(open({ binary }).missing(['f', 'g']), ['f', 'g']);
});

test('both stores require a host', (t) => {
  const path = join(folder(t), 'cache.shard');
  for (const options of [undefined, null, {}, { host: null }, { host: {} }, { host: { name: 'x' } }]) {
    throwsCode(t, 'ERR_INVALID_ARG', () => ScriptCache.open(path, options as never));
    throwsCode(t, 'ERR_INVALID_ARG', () => AutoloadCache.open(path, options as never));
  }
});
