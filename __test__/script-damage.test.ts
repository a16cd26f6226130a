// A full disk truncated a cache file, and every later start of the program crashed.

import { readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { AutoloadCache, Shard } from 'warmshard';
import { bytes, pattern, text } from './helpers/bytes.js';
import { folder } from './helpers/folder.js';
import { code, HOST, openScripts, source } from './helpers/scripts.js';

const HEADER_BYTES = 256;

test('a file corrupt at any byte of its header reads as empty, and the next save replaces it', (t) => {
  const dir = realpathSync(folder(t));
  const path = join(dir, 'cache.shard');
  const file = source(join(dir, 'x.js'), 'x');
  {
    using cache = openScripts(t, path);
    cache.save(file, code('before'));
  }
  const whole = readFileSync(path);
  for (let at = 0; at < HEADER_BYTES; at++) {
    const damaged = Buffer.from(whole);
    damaged[at] = (damaged[at] as number) ^ 0x20;
    writeFileSync(path, damaged);
    using cache = openScripts(t, path);
    if (cache.load(file) !== undefined) t.fail(`byte ${at}: an entry was found`);
    if (cache.stats().entries !== 0 || cache.stats().rejected === undefined)
      t.fail(`byte ${at}: not rejected`);
    if (!cache.save(file, code(`after ${at}`))) t.fail(`byte ${at}: ${cache.stats().lastSkip}`);
    if (text(cache.load(file)?.code) !== `after ${at}`) t.fail(`byte ${at}: not replaced`);
    if (cache.stats().rejected !== undefined) t.fail(`byte ${at}: still rejected`);
  }
  t.pass();
});

test('a file cut at any length, or with any contents, never throws', (t) => {
  const dir = realpathSync(folder(t));
  const path = join(dir, 'cache.shard');
  const file = source(join(dir, 'x.js'), 'x');
  {
    using cache = openScripts(t, path);
    for (let i = 0; i < 20; i++) cache.put(`/src/${i}.js`, 1, 1, { code: pattern(100, i) });
    cache.save(file, code('x'));
  }
  const whole = readFileSync(path);
  const contents = [bytes(''), bytes('x'), pattern(10_000, 1), new Uint8Array(8192)];
  for (let length = 1; length < whole.length; length += 61) contents.push(whole.subarray(0, length));
  for (const content of contents) {
    writeFileSync(path, content);
    using cache = openScripts(t, path);
    const found = cache.load(file);
    if (found !== undefined && text(found.code) !== 'x') t.fail('wrong bytes');
    cache.list();
    cache.stats();
    if (!cache.save(file, code('y')) || text(cache.load(file)?.code) !== 'y') t.fail(`${content.length}`);
    cache.clear();
  }
  t.pass();
});

test('damage to a record affects only this record', (t) => {
  const dir = realpathSync(folder(t));
  const path = join(dir, 'cache.shard');
  const files = Array.from({ length: 10 }, (_, i) => source(join(dir, `${i}.js`), 'x'));
  {
    using cache = openScripts(t, path);
    for (const [i, file] of files.entries()) cache.save(file, { code: pattern(500, i) });
  }
  const whole = readFileSync(path);
  const at = whole.indexOf(pattern(500, 4)) + 250;
  whole[at] = (whole[at] as number) ^ 1;
  writeFileSync(path, whole);
  const cache = openScripts(t, path);
  for (const [i, file] of files.entries()) t.is(cache.load(file) === undefined, i === 4, file);
  t.is(cache.stats().corrupt, 1);
  t.true(cache.save(files[4] as string, code('again')));
  t.is(text(cache.load(files[4] as string)?.code), 'again');
});

test("another store's file reads as empty, says why, and the next write replaces it", (t) => {
  const dir = realpathSync(folder(t));
  const file = source(join(dir, 'x.js'), 'x');
  const stores = {
    shard: (path: string) => {
      const shard = Shard.open(path, { host: HOST });
      return {
        read: () => shard.get('key'),
        write: () => shard.put('key', bytes('of a shard')),
        stats: () => shard.stats(),
        size: () => shard.size,
        close: () => shard.close(),
      };
    },
    script: (path: string) => {
      const cache = openScripts(t, path);
      return {
        read: () => cache.load(file)?.code,
        write: () => t.true(cache.save(file, code('of a script'))),
        stats: () => cache.stats(),
        size: () => cache.list().length,
        close: () => cache.close(),
      };
    },
    autoload: (path: string) => {
      const cache = AutoloadCache.open(path, { host: HOST });
      return {
        read: () => cache.get('f'),
        write: () => cache.putOne('f', bytes('of a function')),
        stats: () => cache.stats(),
        size: () => cache.entryCount,
        close: () => cache.close(),
      };
    },
  };
  for (const [first, openFirst] of Object.entries(stores))
    for (const [second, openSecond] of Object.entries(stores)) {
      if (first === second) continue;
      const path = join(dir, `${first}-${second}.shard`);
      const one = openFirst(path);
      one.write();
      const mine = text(one.read());
      one.close();
      const two = openSecond(path);
      t.is(two.read(), undefined, `${first} as ${second}`);
      t.is(two.size(), 0);
      t.is(two.stats().rejected, `kind: a file of the kind "${first}"`);
      const again = openFirst(path);
      t.is(text(again.read()), mine, 'reading changes nothing');
      again.close();
      two.write();
      t.truthy(two.read());
      t.is(two.stats().rejected, undefined);
      two.close();
      const late = openFirst(path);
      t.is(late.read(), undefined);
      t.is(late.stats().rejected, `kind: a file of the kind "${second}"`);
      late.close();
    }
});
