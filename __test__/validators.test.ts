// A source was edited, and the program ran yesterday's code, because the cache compared only the path.

import { statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { Shard, type Validator } from 'warmshard';
import { bytes, text } from './helpers/bytes.js';
import { folder, shardPath } from './helpers/folder.js';
import { everyWay } from './helpers/ways.js';

const MTIME: Validator = { mtimeSec: 1_700_000_000, mtimeNsec: 5 };
const SIZED: Validator = { ...MTIME, size: 10 };
const DIGEST: Validator = { digest: bytes('digest') };
const OPAQUE: Validator = bytes('digest');

/** The stored validator, the one of the look-up, and whether they match. */
const PAIRS: [Validator, Validator, boolean][] = [
  [MTIME, MTIME, true],
  [SIZED, SIZED, true],
  // If one side has no size, only the time is compared.
  [MTIME, SIZED, true],
  [SIZED, MTIME, true],
  [SIZED, { ...SIZED, size: 11 }, false],
  [SIZED, { ...SIZED, size: 0 }, false],
  [MTIME, { ...MTIME, mtimeNsec: 6 }, false],
  [MTIME, { ...MTIME, mtimeSec: 1 }, false],
  [{ mtimeSec: -5, mtimeNsec: 999_999_999 }, { mtimeSec: -5, mtimeNsec: 999_999_999 }, true],
  [{ mtimeSec: 2 ** 52 + 1, mtimeNsec: 0 }, { mtimeSec: 2 ** 52 + 1, mtimeNsec: 0 }, true],
  [{ mtimeSec: 2 ** 52 + 1, mtimeNsec: 0 }, { mtimeSec: 2 ** 52 + 2, mtimeNsec: 0 }, false],
  [DIGEST, DIGEST, true],
  [DIGEST, { digest: bytes('digest!') }, false],
  [DIGEST, { digest: bytes('diges') }, false],
  [DIGEST, { digest: Buffer.from('xdigest').subarray(1) }, true],
  [DIGEST, { digest: new Uint8Array(64) }, false],
  [OPAQUE, OPAQUE, true],
  [OPAQUE, new Uint8Array(), false],
  [new Uint8Array(), new Uint8Array(), true],
  [new Uint8Array(64).fill(9), new Uint8Array(64).fill(9), true],
  [new Uint8Array(64).fill(9), new Uint8Array(63).fill(9), false],
  [OPAQUE, DIGEST, false],
  [DIGEST, OPAQUE, false],
  [MTIME, OPAQUE, false],
  [OPAQUE, MTIME, false],
  [DIGEST, SIZED, false],
];

everyWay('an entry is a hit only for a matching validator', (t, way) => {
  const shard = way.open();
  for (const [i, [stored, asked, equal]] of PAIRS.entries()) {
    shard.put(`put ${i}`, bytes('value'), { validator: stored });
    shard.mergeIn([{ key: `merge ${i}`, value: bytes('value'), validator: stored }]);
    for (const key of [`put ${i}`, `merge ${i}`]) {
      const before = shard.stats();
      t.is(text(shard.get(key, asked)), equal ? 'value' : undefined, `pair ${i}`);
      t.is(text(shard.getParts(key, asked)?.['']), equal ? 'value' : undefined, `pair ${i}`);
      t.is(shard.has(key, asked), equal, `pair ${i}`);
      t.is(shard.stats()[equal ? 'hits' : 'stale'], before[equal ? 'hits' : 'stale'] + 2);
      // Without a validator, any entry is a hit.
      t.is(text(shard.get(key)), 'value');
    }
  }
});

everyWay('an entry without a validator is stale for a look-up with one', (t, way) => {
  const shard = way.open();
  shard.put('key', bytes('value'));
  for (const validator of [MTIME, SIZED, DIGEST, OPAQUE]) t.is(shard.get('key', validator), undefined);
  t.is(shard.stats().stale, 4);
});

everyWay('the validator of one call does not leak into the next', (t, way) => {
  const shard = way.open();
  shard.put('with', bytes('1'), { validator: new Uint8Array(64).fill(1), expiresAt: Date.now() + 60_000 });
  shard.put('without', bytes('2'), {});
  shard.put('mtime', bytes('3'), { validator: MTIME });
  t.is(shard.info('without')?.validator, undefined);
  t.is(shard.info('without')?.expiresAt, undefined);
  t.deepEqual(shard.info('mtime')?.validator, MTIME);
  t.is(shard.info('mtime')?.expiresAt, undefined);
});

everyWay('info returns validators as they were put', (t, way) => {
  const shard = way.open();
  for (const [i, [validator]] of PAIRS.entries()) {
    shard.put(`${i}`, bytes(''), { validator });
    t.deepEqual(shard.info(`${i}`)?.validator, validator instanceof Buffer ? bytes('digest') : validator);
  }
});

test('a source that is edited within the granularity of its clock is recognised by its content', (t) => {
  const source = join(folder(t), 'source.js');
  using shard = Shard.open(shardPath(t));
  // The source always has the same time, which lies in the future, so its content must be compared.
  const when = Math.floor(Date.now() / 1000) + 100;
  const write = (content: string) => {
    writeFileSync(source, content);
    utimesSync(source, when, when);
  };
  const validator = { mtimeSec: when, mtimeNsec: 0, size: 5 };
  write('one 1');
  t.is(statSync(source).mtimeMs, when * 1000);
  shard.put(source, bytes('compiled one'), { validator });
  t.true(shard.info(source)?.racy);
  t.is(text(shard.get(source, validator)), 'compiled one');
  write('two 2');
  t.is(shard.get(source, validator), undefined);
  t.like(shard.stats(), { hits: 1, stale: 1 });
  write('one 1');
  t.is(text(shard.get(source, validator)), 'compiled one');
});

test('an old source is not read', (t) => {
  const source = join(folder(t), 'source.js');
  using shard = Shard.open(shardPath(t));
  shard.put(source, bytes('compiled'), { validator: MTIME });
  t.false(shard.info(source)?.racy);
  t.is(text(shard.get(source, MTIME)), 'compiled');
});
