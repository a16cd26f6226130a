// A disk flipped a bit, or an attacker planted a link, and the program ran what it found.

import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { DiskPipelineCache, type DiskPipelineOptions, encodeArtifact, fingerprint } from 'warmshard';
import { bytes, pattern, same, text } from './helpers/bytes.js';
import { folder } from './helpers/folder.js';
import { throwsCode } from './helpers/throws.js';
import { WAYS } from './helpers/ways.js';

const ONE = fingerprint('one');

interface Ground {
  t: ExecutionContext;
  root: string;
  path: string;
  cache: DiskPipelineCache;
}

function everyWay(title: string, body: (ground: Ground) => void): void {
  for (const [name, options] of Object.entries(WAYS))
    test(`${title} (${name})`, (t) => {
      const root = folder(t);
      const cache = new DiskPipelineCache(root, options as DiskPipelineOptions);
      body({ t, root, path: join(root, `${ONE}.bin`), cache });
    });
}

function missed({ t, cache }: Ground, what: string): void {
  t.is(cache.get(ONE), undefined, what);
  t.false(cache.has(ONE), what);
}

everyWay('a wrong byte anywhere is a miss, and the next put repairs it', (ground) => {
  const { t, cache, path } = ground;
  for (const length of [1, 200, 300_000]) {
    cache.put(ONE, pattern(length, 1));
    const whole = readFileSync(path);
    const places = [0, length >> 1, length - 1, length, length + 16, length + 31];
    for (const place of places) {
      const wrong = Buffer.from(whole);
      wrong[place] = (wrong[place] as number) ^ 0x40;
      writeFileSync(path, wrong);
      missed(ground, `byte ${place} of ${length}`);
    }
    cache.put(ONE, pattern(length, 1));
    same(t, cache.get(ONE), pattern(length, 1));
  }
});

everyWay('a file cut at any length, or longer than it was, is a miss', (ground) => {
  const { cache, path } = ground;
  cache.put(ONE, pattern(40, 1));
  const whole = readFileSync(path);
  for (let length = 0; length < whole.length; length++) {
    writeFileSync(path, whole.subarray(0, length));
    missed(ground, `cut to ${length}`);
  }
  for (const more of [1, 32, 64, 5000]) {
    writeFileSync(path, Buffer.concat([whole, Buffer.alloc(more)]));
    missed(ground, `${more} more`);
  }
  cache.put(ONE, pattern(300_000, 1));
  for (const length of [299_999, 270_000, 4096, 31]) {
    truncateSync(path, length);
    missed(ground, `cut to ${length}`);
  }
});

everyWay("another fingerprint's file is a miss", (ground) => {
  const { t, cache, root, path } = ground;
  for (const length of [10, 300_000]) {
    cache.put(fingerprint('two'), pattern(length, 1));
    copyFileSync(join(root, `${fingerprint('two')}.bin`), path);
    missed(ground, 'copied');
  }
  t.is(cache.get(fingerprint('two'))?.length, 300_000);
});

everyWay('a huge file is refused before anything is allocated', (ground) => {
  const { t, path } = ground;
  writeFileSync(path, '', { mode: 0o600 });
  for (const length of [64 * 1024 * 1024 + 33, 2 ** 40]) {
    truncateSync(path, length);
    const before = process.memoryUsage();
    missed(ground, `${length}`);
    const after = process.memoryUsage();
    t.true(after.arrayBuffers - before.arrayBuffers < 1024 * 1024);
    t.true(after.rss - before.rss < 32 * 1024 * 1024);
  }
});

everyWay('a link is not followed when reading, and replaced when writing', (ground) => {
  const { t, cache, path } = ground;
  const target = join(folder(t), 'precious');
  const sound = encodeArtifact(ONE, bytes('planted'));
  writeFileSync(target, sound, { mode: 0o600 });
  for (const to of [target, join(folder(t), 'nowhere'), path]) {
    symlinkSync(to, path);
    missed(ground, `a link to ${to}`);
    cache.put(ONE, bytes('ours'));
    t.true(lstatSync(path).isFile());
    t.is(text(cache.get(ONE)), 'ours');
    t.true(cache.remove(ONE));
  }
  symlinkSync(target, path);
  t.true(cache.remove(ONE), 'the link is removed');
  same(t, readFileSync(target), sound, 'its target is unchanged');
});

everyWay('a pipe is a miss, without blocking, and is replaced', (ground) => {
  const { t, cache, path } = ground;
  t.is(spawnSync('mkfifo', [path]).status, 0);
  missed(ground, 'a pipe');
  cache.put(ONE, bytes('ours'));
  t.true(lstatSync(path).isFile());
  t.is(text(cache.get(ONE)), 'ours');
});

everyWay('a folder at the path is a miss; a put to it is refused and leaves nothing behind', (ground) => {
  const { t, cache, path, root } = ground;
  mkdirSync(path);
  missed(ground, 'a folder');
  cache.put(ONE, bytes('ours'));
  throwsCode(t, 'ERR_IO', () => cache.remove(ONE));
  t.like(cache.metrics(), { rejectedPuts: 1, puts: 0, entries: 0 });
  t.deepEqual(readdirSync(root), [`${ONE}.bin`]);
  t.true(cache.durabilityReport().durable);
});

everyWay('files that others may write to are misses', (ground) => {
  const { t, cache, path } = ground;
  for (const mode of [0o602, 0o620, 0o666]) {
    cache.put(ONE, bytes('ours'));
    t.is(text(cache.get(ONE)), 'ours');
    chmodSync(path, mode);
    missed(ground, mode.toString(8));
  }
  chmodSync(path, 0o660);
  t.is(text(new DiskPipelineCache(ground.root, { trust: 'group' }).get(ONE)), 'ours');
  chmodSync(path, 0o644);
  t.is(text(cache.get(ONE)), 'ours', 'others may read');
});

everyWay('damage is counted as a miss', ({ t, cache, path }) => {
  cache.put(ONE, bytes('a'));
  writeFileSync(path, 'x');
  cache.get(ONE);
  t.like(cache.metrics(), { lookups: 1, hits: 0, misses: 1, hitRatePpm: 0, entries: 1 });
});

test('with WARMSHARD_COPY=1 nothing is lent', (t) => {
  const root = folder(t);
  const script = `
    const { DiskPipelineCache, fingerprint } = require(${JSON.stringify(require.resolve('warmshard'))});
    const cache = new DiskPipelineCache(${JSON.stringify(root)});
    cache.put(fingerprint('a'), new Uint8Array(1 << 20).fill(7));
    const found = cache.get(fingerprint('a'));
    const maps = require('node:fs').existsSync('/proc/self/maps') ? require('node:fs').readFileSync('/proc/self/maps', 'utf8') : '';
    console.log(found.every((byte) => byte === 7), maps.includes('.bin'));`;
  const run = (env: object) =>
    spawnSync(process.execPath, ['-e', script], {
      encoding: 'utf8',
      env: { ...process.env, ...env },
    }).stdout.trim();
  t.is(run({ WARMSHARD_COPY: '1' }), 'true false');
  t.is(run({ WARMSHARD_COPY: '' }), `true ${existsSync('/proc/self/maps')}`);
});
