// A shard that was filled when an image was built was empty in the container, because its keys were paths of the build machine.

import { cpSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { Shard } from 'warmshard';
import { bytes, text } from './helpers/bytes.js';
import { folder, shardPath } from './helpers/folder.js';
import { everyWay } from './helpers/ways.js';

everyWay('keys below the root are relative to it', (t, way) => {
  const build = way.open({ root: '/build/app' });
  build.put('/build/app/src/a.js', bytes('a'));
  build.put('/build/app/é/\u{1f980}.js', bytes('crab'));
  build.mergeIn([['/build/application/b.js', bytes('outside')]]);
  build.put('plain', bytes('plain'));
  t.is(text(build.get('/build/app/src/a.js')), 'a');
  const keys = ['/build/app/src/a.js', '/build/app/é/\u{1f980}.js', '/build/application/b.js', 'plain'];
  t.deepEqual([...build.keys()], keys);
  const app = way.open({ root: '/srv/' });
  t.is(text(app.get('/srv/src/a.js')), 'a');
  t.is(app.get('/build/app/src/a.js'), undefined);
  t.is(text(app.get('/build/application/b.js')), 'outside');
  t.deepEqual([...app.keys()], ['/srv/src/a.js', '/srv/é/\u{1f980}.js', '/build/application/b.js', 'plain']);
  t.deepEqual(
    app
      .list()
      .map((entry) => entry.key)
      .sort(),
    [...app.keys()].sort(),
  );
  t.is(app.info('/srv/src/a.js')?.key, '/srv/src/a.js');
  t.true(app.delete('/srv/src/a.js'));
  t.false(build.has('/build/app/src/a.js'));
  const without = way.open();
  t.is(without.get('/srv/é/\u{1f980}.js'), undefined);
  t.is(text(without.get('plain')), 'plain');
});

test('a shard file can be copied to another path', (t) => {
  const path = shardPath(t);
  const copy = join(folder(t), 'shipped.shard');
  {
    using shard = Shard.open(path, { root: '/build' });
    for (let i = 0; i < 1000; i++) shard.put(`/build/${i}.js`, bytes(`${i}`));
    shard.flush();
  }
  cpSync(path, copy);
  using shipped = Shard.open(copy, { root: '/app', readOnly: true });
  t.is(shipped.size, 1000);
  for (let i = 0; i < 1000; i++) t.is(text(shipped.get(`/app/${i}.js`)), `${i}`);
});

everyWay('a key that is too long below another root is left out of a walk', (t, way) => {
  const key = `/b/${'x'.repeat(4000)}`;
  way.open({ root: '/b' }).mergeIn([
    [key, bytes('long')],
    ['/b/short', bytes('short')],
  ]);
  const shard = way.open({ root: `/${'deep/'.repeat(50)}` });
  t.deepEqual(
    [...shard.entries()].map(([, value]) => text(value)),
    ['short'],
  );
  t.is(shard.size, 2);
});
