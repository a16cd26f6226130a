// On machines without HOME, a tool wrote its cache into the root folder.

import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { defaultCachePath, userCacheFolder } from 'warmshard';
import { type Inside, inChild } from './helpers/child.js';
import { withEnv } from './helpers/env.js';
import { folder } from './helpers/folder.js';
import { source } from './helpers/scripts.js';
import { throwsCode } from './helpers/throws.js';

const HOME_CACHE = process.platform === 'darwin' ? '/home/me/Library/Caches' : '/home/me/.cache';

test.serial('without any folder the error says which variables to set', (t) => {
  const error = withEnv({}, () => throwsCode(t, 'ERR_INVALID_ARG', () => defaultCachePath()));
  t.regex(error?.message ?? '', /set XDG_CACHE_HOME or HOME/);
  withEnv({ HOME: 'relative' }, () => throwsCode(t, 'ERR_INVALID_ARG', () => defaultCachePath()));
  withEnv({ HOME: '' }, () => throwsCode(t, 'ERR_INVALID_ARG', () => userCacheFolder('x')));
  const wrong = withEnv({ WARMSHARD_HOME: 'relative', HOME: '/home/me' }, () =>
    throwsCode(t, 'ERR_INVALID_ARG', () => defaultCachePath()),
  );
  t.regex(wrong?.message ?? '', /WARMSHARD_HOME/);
});

test.serial('WARMSHARD_HOME comes first, then XDG_CACHE_HOME, then HOME', (t) => {
  const all = { WARMSHARD_HOME: '/ours', XDG_CACHE_HOME: '/xdg', HOME: '/home/me' };
  t.is(
    withEnv(all, () => defaultCachePath()),
    '/ours/scripts.shard',
  );
  t.is(
    withEnv({ ...all, WARMSHARD_HOME: '' }, () => defaultCachePath()),
    '/xdg/warmshard/scripts.shard',
  );
  t.is(
    withEnv({ XDG_CACHE_HOME: 'relative', HOME: '/home/me' }, () => defaultCachePath()),
    `${HOME_CACHE}/warmshard/scripts.shard`,
    'a relative XDG_CACHE_HOME is ignored',
  );
  t.is(
    withEnv({ HOME: '/home/me' }, () => defaultCachePath('x.y')),
    `${HOME_CACHE}/warmshard/x.y`,
  );
  t.is(
    withEnv({ HOME: '/home/me' }, () => userCacheFolder('app')),
    `${HOME_CACHE}/app`,
  );
});

test.serial('a name must be a plain file name', (t) => {
  for (const name of ['', '.', '..', 'a/b', '/a', 'a\\b', 'a\0b', '\ud800', 1, null]) {
    throwsCode(t, 'ERR_INVALID_ARG', () => defaultCachePath(name as never), String(name));
    throwsCode(t, 'ERR_INVALID_ARG', () => userCacheFolder(name as never), String(name));
  }
});

/** Calls `scriptCache()` in a new process and describes what it returns. */
function shared(t: ExecutionContext, dir: string, env: Record<string, string>) {
  return inChild(
    t,
    ({ warmshard: { scriptCache } }: Inside, file: string) => {
      const cache = scriptCache();
      if (cache === undefined) return { path: undefined, same: scriptCache() === undefined };
      const found = cache.load(file)?.code;
      if (found === undefined && !cache.save(file, { code: Buffer.from('x') })) throw new Error('not saved');
      const same = scriptCache() === cache;
      process.env.WARMSHARD = 'No';
      const off = scriptCache() === undefined;
      delete process.env.WARMSHARD;
      const on = scriptCache() === cache;
      cache.close();
      const anew = scriptCache();
      return {
        path: cache.path,
        found: found !== undefined,
        same,
        off,
        on,
        anew: anew !== cache && anew?.load(file) !== undefined,
        version: anew?.list()[0]?.version === process.version,
      };
    },
    source(join(dir, 'x.js'), 'x'),
    { env: { WARMSHARD_HOME: '', XDG_CACHE_HOME: '', HOME: dir, ...env } },
  );
}

test('the cache of the process is opened once at the default path, and again after a close', async (t) => {
  const dir = folder(t);
  const home = join(dir, 'ours', 'deep');
  const expected = {
    path: join(home, 'scripts.shard'),
    same: true,
    off: true,
    on: true,
    anew: true,
    version: true,
  };
  t.deepEqual(await shared(t, dir, { WARMSHARD_HOME: home }), { ...expected, found: false });
  t.deepEqual(await shared(t, dir, { WARMSHARD_HOME: home, WARMSHARD: '1' }), { ...expected, found: true });
});

test('WARMSHARD=0, false or no switches it off, and no files are created', async (t) => {
  const dir = folder(t);
  for (const value of ['0', 'false', 'no', 'FALSE', 'No'])
    t.deepEqual(await shared(t, dir, { WARMSHARD: value }), { same: true } as never, value);
  t.false(existsSync(join(dir, '.cache')));
});

test('scriptCache() is undefined if the cache cannot be opened, and it is not tried again', async (t) => {
  const dir = folder(t);
  writeFileSync(join(dir, 'file'), '');
  t.deepEqual(await shared(t, dir, { WARMSHARD_HOME: join(dir, 'file') }), { same: true } as never);
  t.deepEqual(await shared(t, dir, { WARMSHARD_HOME: 'relative' }), { same: true } as never);
  t.deepEqual(await shared(t, dir, { HOME: '' }), { same: true } as never);
  if (process.getuid?.() !== 0) {
    mkdirSync(join(dir, 'locked'));
    chmodSync(join(dir, 'locked'), 0o500);
    t.deepEqual(await shared(t, dir, { WARMSHARD_HOME: join(dir, 'locked') }), { same: true } as never);
  }
});
