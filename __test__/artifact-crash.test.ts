// A build was killed after it had written an object file and before it wrote the index; from then on everything was compiled again.

import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { ArtifactStore } from 'warmshard';
import { bytes, same } from './helpers/bytes.js';
import { type Inside, inChild, startChild } from './helpers/child.js';
import { folder } from './helpers/folder.js';

const meta = (name: string, exitCode = 0) => ({
  outputNames: [`${name}.o`],
  outputSizes: [name.length],
  stderr: `warning: ${name}`,
  exitCode,
});

const damage: Record<string, (path: string) => void> = {
  deleted: (path) => rmSync(path),
  emptied: (path) => writeFileSync(path, ''),
  'overwritten with text': (path) => writeFileSync(path, 'not an index'.repeat(1000)),
  'damaged in its header': (path) => {
    const content = readFileSync(path);
    content[30] = (content[30] as number) ^ 1;
    writeFileSync(path, content);
  },
};

for (const [what, harm] of Object.entries(damage))
  test(`an index that was ${what} is rebuilt from the payloads`, async (t) => {
    const dir = folder(t);
    const store = ArtifactStore.open(dir);
    for (let i = 0; i < 20; i++) {
      const key = `key${i}`;
      // The metadata may come before the outputs, or after them.
      if (i % 2 === 0) store.insert(key, meta(key, i));
      store.putOutputs(key, [bytes(key), bytes(`${key} too`)], { pack: i % 3 === 0 });
      if (i % 2 === 1) store.insert(key, meta(key, i));
    }
    store.insert('no payload', meta('x'));
    store.flush();
    store.remove('key19');
    store.close();
    harm(join(dir, 'index.shard'));
    const found = await inChild(
      t,
      async ({ warmshard: { ArtifactStore }, sleep }: Inside, dir: string) => {
        const warnings: string[] = [];
        process.on('warning', (warning) =>
          warnings.push(`${(warning as NodeJS.ErrnoException).code} ${warning.message}`),
        );
        const store = ArtifactStore.open(dir);
        const stats = store.stats();
        const rows = Array.from({ length: 20 }, (_, i) => [
          store.get(`key${i}`)?.exitCode,
          store.get(`key${i}`)?.stderr,
          Buffer.from(store.output(`key${i}`, 1) ?? []).toString(),
        ]);
        store.close();
        await sleep(1);
        const again = ArtifactStore.open(dir);
        const second = again.stats();
        again.close();
        return { warnings, stats, rows, second };
      },
      dir,
    );
    t.is(found.stats.entries, 19);
    t.is(found.stats.recoveredRows, 19);
    for (let i = 0; i < 19; i++) t.deepEqual(found.rows[i], [i, `warning: key${i}`, `key${i} too`]);
    t.deepEqual(found.rows[19], [undefined, undefined, ''].map((v) => v ?? null) as never);
    t.is(found.second.entries, 19);
    t.is(found.second.recoveredRows, 0, 'the second opening recovers nothing');
    if (what !== 'deleted') {
      t.is(found.warnings.length, 1);
      t.true(
        found.warnings[0]?.startsWith('WARMSHARD_INDEX_REBUILT ') &&
          found.warnings[0].includes(join(dir, 'index.shard')),
      );
    } else t.deepEqual(found.warnings, []);
  });

test('a process killed before it flushed loses at most its rows, and leaves no temporary files', async (t) => {
  for (const order of ['payload first', 'metadata first']) {
    const dir = folder(t);
    const before = ArtifactStore.open(dir);
    before.insert('flushed', meta('flushed'));
    before.putOutputs('flushed', [bytes('flushed')]);
    before.close();
    const child = startChild(
      t,
      async ({ warmshard: { ArtifactStore }, send }: Inside, [dir, order]: [string, string]) => {
        const store = ArtifactStore.open(dir);
        const row = { outputNames: ['a'], outputSizes: [1], exitCode: 3 };
        for (let i = 0; i < 10; i++) {
          if (order === 'metadata first') store.insert(`k${i}`, row);
          store.putOutputs(`k${i}`, [Buffer.from(`output ${i}`)], { pack: i % 2 === 0 });
          if (order === 'payload first') store.insert(`k${i}`, row);
        }
        store.remove('flushed');
        send('there');
        await new Promise(() => {});
      },
      [dir, order] as [string, string],
    );
    await child.receive();
    // Another handle that is used meanwhile must not sweep the files of a living process.
    const meanwhile = ArtifactStore.open(dir);
    t.is(meanwhile.stats().sweptFiles, 0);
    t.is(meanwhile.get('flushed')?.stderr, 'warning: flushed');
    meanwhile.close();
    await child.kill();
    const store = ArtifactStore.open(dir);
    t.is(store.get('flushed')?.exitCode, 0, 'a removal that was not flushed has no effect');
    for (let i = 0; i < 10; i++) {
      same(t, store.output(`k${i}`, 0), bytes(`output ${i}`));
      // Without the metadata, the exit code is not known and must not be invented.
      t.is(store.get(`k${i}`)?.exitCode, order === 'metadata first' ? 3 : undefined);
    }
    t.is(store.size, order === 'metadata first' ? 11 : 1);
    store.close();
    t.deepEqual(readdirSync(join(dir, '.tmp')), ['state']);
    const again = ArtifactStore.open(dir);
    t.is(again.stats().recoveredRows, 0);
    again.close();
  }
});

test("processes that flush at the same time do not lose each other's rows", async (t) => {
  const dir = folder(t);
  const work = ({ warmshard: { ArtifactStore } }: Inside, [dir, id]: [string, number]) => {
    const store = ArtifactStore.open(dir);
    for (let i = 0; i < 60; i++) {
      const key = `${id}-${i}`;
      store.putOutputs(key, [Buffer.from(key)], { pack: i % 2 === 0 });
      store.insert(key, { outputNames: ['a'], outputSizes: [key.length] });
      store.insert('shared', { outputNames: [`${id}`], outputSizes: [1] });
      if (i % 7 === 0) store.flush();
      if (i % 10 === 9) store.remove(`${id}-${i - 5}`);
    }
    store.close();
  };
  await Promise.all([0, 1, 2, 3].map((id) => inChild(t, work, [dir, id] as [string, number])));
  const store = ArtifactStore.open(dir);
  for (let id = 0; id < 4; id++)
    for (let i = 0; i < 60; i++) {
      const key = `${id}-${i}`;
      const expected = i % 10 === 4 ? undefined : bytes(key);
      same(t, store.output(key, 0), expected, key);
      t.is(store.get(key) !== undefined, expected !== undefined, key);
    }
  t.is(store.size, 4 * 54 + 1);
  t.is(store.stats().recoveredRows, 0);
  store.close();
});

test('a store finds what another process has flushed meanwhile', async (t) => {
  const dir = folder(t);
  const store = ArtifactStore.open(dir);
  t.is(store.get('k'), undefined);
  t.is(store.size, 0);
  const change = ({ warmshard: { ArtifactStore } }: Inside, [dir, remove]: [string, boolean]) => {
    const other = ArtifactStore.open(dir);
    if (remove) other.remove('k');
    else other.insert('k', { outputNames: ['x'], outputSizes: [9] });
    other.close();
  };
  await inChild(t, change, [dir, false] as [string, boolean]);
  t.deepEqual(store.get('k')?.outputNames, ['x']);
  t.deepEqual([store.size, store.totalSizeBytes()], [1, 9]);
  await inChild(t, change, [dir, true] as [string, boolean]);
  t.is(store.get('k'), undefined);
  t.deepEqual([store.size, store.totalSizeBytes()], [0, 0]);
  store.close();
});
