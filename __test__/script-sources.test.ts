// A build found its output under one name of a file and not under another, and once it found that of another file.

import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { text } from './helpers/bytes.js';
import { inChild } from './helpers/child.js';
import { folder } from './helpers/folder.js';
import { code, openScripts, source } from './helpers/scripts.js';

test('a link that is switched to another file gives the code of that file at once', (t) => {
  const dir = realpathSync(folder(t));
  const cache = openScripts(t, join(dir, 'cache.shard'));
  const link = join(dir, 'link.js');
  for (const name of ['a', 'b']) t.true(cache.save(source(join(dir, name), name), code(`of ${name}`)));
  for (const name of ['a', 'b', 'a', 'b']) {
    rmSync(link, { force: true });
    symlinkSync(join(dir, name), link);
    for (let i = 0; i < 3; i++) t.is(text(cache.load(link)?.code), `of ${name}`);
  }
});

test('a source reached through links is found under its canonical path, in every process', async (t) => {
  const dir = realpathSync(folder(t));
  const path = join(dir, 'cache.shard');
  const cache = openScripts(t, path);
  mkdirSync(join(dir, 'real'));
  const real = source(join(dir, 'real', 'x.js'), 'x');
  symlinkSync(join(dir, 'real'), join(dir, 'folder'));
  symlinkSync(join(dir, 'folder', 'x.js'), join(dir, 'link.js'));
  const names = [join(dir, 'link.js'), join(dir, 'folder/x.js'), join(dir, 'real/../folder/./x.js'), real];
  t.is(cache.load(names[0] as string), undefined);
  t.true(cache.save(names[0] as string, code('compiled')));
  for (const name of names) t.is(text(cache.load(name)?.code), 'compiled', name);
  t.deepEqual(
    cache.list().map((entry) => entry.path),
    [real],
  );
  const seen = await inChild(
    t,
    ({ warmshard: { ScriptCache } }, { path, names }) => {
      const cache = ScriptCache.open(path, { host: { name: 'tool', version: '1', binary: false } });
      return names.map((name) => Buffer.from(cache.load(name)?.code ?? []).toString());
    },
    { path, names },
  );
  t.deepEqual(
    seen,
    names.map(() => 'compiled'),
  );
});

test('a relative source is resolved in the working folder at the time of the call', async (t) => {
  const dir = realpathSync(folder(t));
  for (const name of ['one', 'two']) mkdirSync(join(dir, name));
  source(join(dir, 'one/x.js'), 'shared');
  // Package managers lay files out like this.
  linkSync(join(dir, 'one/x.js'), join(dir, 'two/x.js'));
  source(join(dir, 'one/y.js'), 'y1');
  source(join(dir, 'two/y.js'), 'y2');
  const got = await inChild(
    t,
    async ({ warmshard: { ScriptCache }, sleep }, dir) => {
      const cache = ScriptCache.open(`${dir}/cache.shard`, {
        host: { name: 'tool', version: '1', binary: false },
      });
      await sleep(50);
      const got: string[] = [];
      for (let round = 0; round < 3; round++)
        for (const folder of ['one', 'two']) {
          process.chdir(`${dir}/${folder}`);
          for (const file of ['x.js', 'y.js']) {
            const found = cache.load(file);
            if (found) got.push(Buffer.from(found.code).toString());
            else cache.save(file, { code: Buffer.from(`${folder}/${file}`) });
          }
        }
      return got;
    },
    dir,
  );
  const once = ['one/x.js', 'one/y.js', 'two/x.js', 'two/y.js'];
  t.deepEqual(got, [...once, ...once]);
});

test('a source that is missing or not a regular file is a miss, and is not saved', (t) => {
  const dir = folder(t);
  const cache = openScripts(t, join(dir, 'cache.shard'));
  mkdirSync(join(dir, 'folder'));
  symlinkSync(join(dir, 'nowhere'), join(dir, 'dangling'));
  symlinkSync(join(dir, 'loop'), join(dir, 'loop'));
  const names = [
    join(dir, 'gone'),
    join(dir, 'folder'),
    join(dir, 'dangling'),
    join(dir, 'loop'),
    '/dev/null',
    '',
    'x\0y',
    '\ud800',
    `/${'x'.repeat(10_000)}`,
    `/${'x/'.repeat(2040)}x`,
  ];
  for (const name of names) {
    t.is(cache.load(name), undefined, name);
    t.false(cache.save(name, code('x')), name);
  }
  t.like(cache.stats(), { entries: 0, misses: names.length, saves: 0, skippedSaves: names.length });
});

test('a file that replaces another is a different source', (t) => {
  const dir = realpathSync(folder(t));
  const cache = openScripts(t, join(dir, 'cache.shard'));
  const path = source(join(dir, 'x.js'), 'one', 1000);
  cache.save(path, code('of one'));
  for (let i = 0; i < 2; i++) t.is(text(cache.load(path)?.code), 'of one');
  renameSync(source(join(dir, 'new.js'), 'two', 1001), path);
  t.is(cache.load(path), undefined);
  t.true(cache.save(path, code('of two')));
  t.is(text(cache.load(path)?.code), 'of two');
  rmSync(path);
  t.is(cache.load(path), undefined);
  writeFileSync(path, 'three');
  t.is(cache.load(path), undefined);
  t.like(cache.stats(), { stale: 2, misses: 1 });
});

test('a pipe is not a source, and never blocks', async (t) => {
  const dir = realpathSync(folder(t));
  const pipe = join(dir, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const seen = await inChild(
    t,
    ({ fs, warmshard: { ScriptCache, fileMtime } }, { dir, pipe }) => {
      const cache = ScriptCache.open(`${dir}/cache.shard`, { host: { name: 'h', version: '1' } });
      // Its time is so recent that the contents of a regular file would be compared.
      fs.utimesSync(pipe, new Date(), new Date());
      const [sec, nsec] = fileMtime(pipe) ?? [0, 0];
      const code = new Uint8Array(1);
      cache.put(pipe, sec, nsec, { code });
      return [
        cache.get(pipe, sec, nsec) === undefined,
        cache.save(pipe, { code }),
        cache.load(pipe) === undefined,
      ];
    },
    { dir, pipe },
  );
  t.deepEqual(seen, [true, false, true]);
});
