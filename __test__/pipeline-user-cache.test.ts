// In a container without HOME the cache was written to the root folder, and the build failed.

import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { DiskPipelineCache, fingerprint } from 'warmshard';
import { bytes } from './helpers/bytes.js';
import { withEnv } from './helpers/env.js';
import { folder } from './helpers/folder.js';
import { throwsCode } from './helpers/throws.js';

const below = process.platform === 'darwin' ? 'Library/Caches' : '.cache';

test.serial('XDG_CACHE_HOME comes first, then HOME, otherwise the error says what to do', (t) => {
  const cases: [xdg: string | undefined, home: string | undefined, root: string][] = [
    ['/x', '/h', '/x/app'],
    ['/x/', undefined, '/x/app'],
    [undefined, '/h', `/h/${below}/app`],
    ['', '/h', `/h/${below}/app`],
    ['relative', '/h', `/h/${below}/app`],
  ];
  for (const [xdg, home, root] of cases)
    withEnv({ XDG_CACHE_HOME: xdg, HOME: home }, () => {
      t.is(DiskPipelineCache.inUserCache('app').root, root);
    });
  for (const home of [undefined, '', 'relative'])
    withEnv({ XDG_CACHE_HOME: home, HOME: home }, () => {
      const error = throwsCode(t, 'ERR_INVALID_ARG', () => DiskPipelineCache.inUserCache('app'));
      t.regex(error?.message ?? '', /set XDG_CACHE_HOME or HOME .*, or give the path/);
    });
});

test.serial('the first put creates the folder', (t) => {
  const home = folder(t);
  withEnv({ XDG_CACHE_HOME: undefined, HOME: home }, () => {
    const cache = DiskPipelineCache.inUserCache('my app', { maxBytes: 1000 });
    t.is(cache.get(fingerprint('a')), undefined);
    t.is(cache.metrics().entries, 0);
    t.false(existsSync(join(home, below)), 'reading creates nothing');
    cache.put(fingerprint('a'), bytes('a'));
    t.true(existsSync(join(home, below, 'my app', `${fingerprint('a')}.bin`)));
  });
});

test.serial('the name of an app must be a plain file name', (t) => {
  withEnv({ XDG_CACHE_HOME: '/x' }, () => {
    for (const app of ['', '.', '..', 'a/b', '/a', '../a', 'a\0b', '\ud800', 1, null, undefined, {}])
      throwsCode(t, 'ERR_INVALID_ARG', () => DiskPipelineCache.inUserCache(app as string), String(app));
    t.is(DiskPipelineCache.inUserCache('...').root, '/x/...');
  });
});

test('a root that is a file reads as empty, and rejected puts are only counted', (t) => {
  const path = join(folder(t), 'file');
  writeFileSync(path, 'a file');
  const cache = new DiskPipelineCache(path);
  cache.put(fingerprint('a'), bytes('a'));
  t.is(cache.get(fingerprint('a')), undefined);
  t.like(cache.metrics(), { rejectedPuts: 1, misses: 1, puts: 0, entries: 0 });
  cache.flush();
});
