// A file was saved while it was being compiled; the old code ran until somebody deleted the cache.

import { realpathSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { ScriptCacheOptions } from 'warmshard';
import { text } from './helpers/bytes.js';
import { inChild } from './helpers/child.js';
import { folder } from './helpers/folder.js';
import { code, openScripts, source } from './helpers/scripts.js';

function setup(t: ExecutionContext, options: Partial<ScriptCacheOptions> = {}) {
  const dir = realpathSync(folder(t));
  const path = join(dir, 'cache.shard');
  return { dir, path, file: join(dir, 'x.js'), cache: openScripts(t, path, options) };
}

/** Writes other content of the same size with the same modification time. */
function rewriteUnseen(file: string, text: string): void {
  const { atime, mtime } = statSync(file);
  writeFileSync(file, text);
  utimesSync(file, atime, mtime);
}

test('a source that changes between load and save is not saved, and counted', (t) => {
  const { file, cache } = setup(t);
  source(file, 'one');
  t.is(cache.load(file), undefined);
  source(file, 'other');
  t.false(cache.save(file, code('of one')));
  t.like(cache.stats(), { entries: 0, changedSources: 1, skippedSaves: 1, saves: 0 });
  t.regex(cache.stats().lastSkip ?? '', /changed/);
  t.is(cache.load(file), undefined);
  t.true(cache.save(file, code('of other')));
  t.is(text(cache.load(file)?.code), 'of other');
});

test('a source that is touched or rewritten between load and save is not saved', (t) => {
  const { file, cache } = setup(t);
  source(file, 'one');
  t.is(cache.load(file), undefined);
  source(file, 'one');
  t.false(cache.save(file, code('of one')), 'only the ctime has changed');
  t.true(cache.save(file, code('of one')), 'without a load before it, the current state is saved');
});

test('a source rewritten in the same tick of the clock, with the same size, is stale in every process', async (t) => {
  const { path, file, cache } = setup(t);
  for (let round = 0; round < 20; round++) {
    writeFileSync(file, `one ${round}`.padEnd(16));
    t.is(cache.load(file), undefined);
    t.true(cache.save(file, code(`of one ${round}`)));
    t.is(text(cache.load(file)?.code), `of one ${round}`);
    rewriteUnseen(file, `two ${round}`.padEnd(16));
    t.is(cache.load(file), undefined);
  }
  const there = await inChild(
    t,
    ({ warmshard: { ScriptCache } }, { path, file }) =>
      ScriptCache.open(path, { host: { name: 'tool', version: '1', binary: false } }).load(file) !==
      undefined,
    { path, file },
  );
  t.false(there);
});

test('a source rewritten in the same tick between load and save is not saved', (t) => {
  const { file, cache } = setup(t);
  const soon = Date.now() / 1000 + 60;
  for (let round = 0; round < 20; round++) {
    // A time in the future keeps the source racy during the test.
    source(file, `one ${round}`.padEnd(16), soon);
    t.is(cache.load(file), undefined);
    source(file, `two ${round}`.padEnd(16), soon);
    t.false(cache.save(file, code('of one')));
  }
  t.is(cache.stats().changedSources, 20);
});

test('an edit that changes only the size, or only the time, is seen', (t) => {
  const { file, cache } = setup(t);
  source(file, 'one', 1000);
  cache.save(file, code('of one'));
  t.is(text(cache.load(file)?.code), 'of one');
  source(file, 'longer', 1000);
  t.is(cache.load(file), undefined);
  source(file, 'two', 1000.000000001);
  source(file, 'two', 1001);
  t.is(cache.load(file), undefined);
  source(file, 'one', 999);
  t.is(cache.load(file), undefined, 'an older time is as different as a newer one');
});

test("with validate 'content', modification times do not matter", async (t) => {
  const { path, file, cache } = setup(t, { validate: 'content' });
  source(file, 'one', 1000);
  t.is(cache.load(file), undefined);
  t.true(cache.save(file, code('of one')));
  await new Promise((done) => setTimeout(done, 50));
  for (const second of [1000, 2000, Date.now() / 1000]) {
    source(file, 'one', second);
    for (let i = 0; i < 2; i++) t.is(text(cache.load(file)?.code), 'of one');
    t.is(text(openScripts(t, path, { validate: 'content' }).load(file)?.code), 'of one', 'a new handle');
  }
  rewriteUnseen(file, 'two');
  t.is(cache.load(file), undefined);
  t.is(openScripts(t, path, { validate: 'content' }).load(file), undefined);
  rewriteUnseen(file, 'six');
  t.false(cache.save(file, code('of two')));
  t.is(cache.stats().changedSources, 1);
  t.is(cache.evictStale(), 1);
  t.is(cache.stats().entries, 0);
});
