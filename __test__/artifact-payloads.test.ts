// A linker got the object file of another source, because the cache did not check what it served.

import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { ArtifactStore } from 'warmshard';
import { bytes, pattern, same } from './helpers/bytes.js';
import { folder } from './helpers/folder.js';

const meta = (sizes: number[]) => ({ outputNames: sizes.map((_, i) => `o${i}`), outputSizes: sizes });
const payloads = (dir: string) =>
  readdirSync(dir)
    .filter((name) => !/^(index\.shard|\.tmp)/.test(name))
    .sort();

for (const pack of [false, true]) {
  const kind = pack ? 'a pack' : 'flat files';

  test(`outputs of any size come back from ${kind}`, (t) => {
    const dir = folder(t);
    const outputs = [0, 1, 15, 16, 4095, 262_143, 262_144, 1_000_003].map((length, i) => pattern(length, i));
    for (const options of [{}, { copy: true }, { access: 'read' as const }]) {
      const store = ArtifactStore.open(dir, options);
      store.putOutputs('key', outputs, { pack });
      store.insert('key', meta(outputs.map((o) => o.length)));
      const check = (from: ArtifactStore) => {
        for (const [i, output] of outputs.entries()) same(t, from.output('key', i), output, `output ${i}`);
        t.is(from.output('key', outputs.length), undefined);
      };
      check(store);
      const kept = store.output('key', 7);
      store.flush();
      const other = ArtifactStore.open(dir, { readOnly: true });
      check(other);
      other.close();
      store.remove('key');
      t.is(store.output('key', 0), undefined);
      store.close();
      same(t, kept, outputs[7], 'what was lent stays valid');
      t.deepEqual(payloads(dir), []);
    }
  });

  test(`a damaged byte in ${kind} costs that output, and never gives wrong bytes`, (t) => {
    const dir = folder(t);
    const store = ArtifactStore.open(dir);
    const outputs = [bytes('the first output'), bytes('the second one')];
    store.insert('key', meta([16, 14]));
    store.putOutputs('key', outputs, { pack });
    store.flush();
    for (const name of payloads(dir)) {
      const path = join(dir, name);
      const good = readFileSync(path);
      for (let at = 0; at < good.length; at++) {
        const bad = Buffer.from(good);
        bad[at] = (bad[at] as number) ^ 0x41;
        writeFileSync(path, bad);
        for (const [i, output] of outputs.entries()) {
          const found = store.output('key', i);
          if (found !== undefined) same(t, found, output, `${name} ${at} ${i}`);
        }
      }
      for (let length = 0; length < good.length; length += 7) {
        writeFileSync(path, good.subarray(0, length));
        for (const [i, output] of outputs.entries()) {
          const found = store.output('key', i);
          if (found !== undefined) same(t, found, output, `${name} cut to ${length}`);
        }
      }
      writeFileSync(path, good);
    }
    for (const [i, output] of outputs.entries()) same(t, store.output('key', i), output);
    store.close();
  });
}

test('a file of another key, of another output or of an earlier put is not served', (t) => {
  const dir = folder(t);
  const store = ArtifactStore.open(dir);
  for (const key of ['one', 'two']) {
    store.insert(key, meta([3, 3]));
    store.putOutputs(key, [bytes(`${key[0]}_0`), bytes(`${key[0]}_1`)]);
  }
  store.flush();
  const at = (name: string) => join(dir, name);
  copyFileSync(at('two_0'), at('one_0'));
  t.is(store.output('one', 0), undefined, "another key's");
  copyFileSync(at('two_1'), at('two_0'));
  t.is(store.output('two', 0), undefined, 'another output');
  copyFileSync(at('one_1'), at('kept'));
  store.putOutputs('one', [bytes('new'), bytes('NEW')]);
  copyFileSync(at('kept'), at('one_1'));
  same(t, store.output('one', 0), bytes('new'));
  t.is(store.output('one', 1), undefined, 'an output of an earlier put');
  store.close();
});

test('links, folders and foreign files at the path are neither followed nor removed', (t) => {
  const dir = folder(t);
  const store = ArtifactStore.open(dir);
  store.insert('k', meta([1]));
  writeFileSync(join(dir, 'secret'), 'not yours');
  symlinkSync(join(dir, 'secret'), join(dir, 'k_0'));
  t.is(store.output('k', 0), undefined);
  store.putOutputs('k', [bytes('x')]);
  same(t, store.output('k', 0), bytes('x'));
  t.is(readFileSync(join(dir, 'secret'), 'utf8'), 'not yours');
  rmSync(join(dir, 'k_0'));
  mkdirSync(join(dir, 'k_0'));
  t.is(store.output('k', 0), undefined);
  writeFileSync(join(dir, 'foreign.pack'), 'somebody put this here');
  writeFileSync(join(dir, 'notes_7'), 'and this');
  store.flush();
  rmSync(join(dir, 'index.shard'));
  store.close();
  ArtifactStore.open(dir).close();
  t.true(existsSync(join(dir, 'foreign.pack')) && existsSync(join(dir, 'notes_7')));
});

test('a key is never a path', (t) => {
  const outer = folder(t);
  const dir = join(outer, 'a', 'store');
  const keys = [
    '../../escape',
    '/etc/passwd',
    '..',
    '.',
    'a/b',
    'tmp',
    'index.shard',
    'nul\0byte',
    'ä',
    ' ',
    '~x',
    'k_0',
    'k',
    'K',
    'x'.repeat(4000),
  ];
  const store = ArtifactStore.open(dir);
  for (const [i, key] of keys.entries()) {
    store.insert(key, meta([8]));
    store.putOutputs(key, [pattern(8, i)], { pack: i % 2 === 0 });
  }
  store.flush();
  for (const [i, key] of keys.entries()) same(t, store.output(key, 0), pattern(8, i), key);
  t.is(store.size, keys.length);
  t.deepEqual(readdirSync(outer), ['a']);
  t.deepEqual(readdirSync(join(outer, 'a')), ['store']);
  for (const name of readdirSync(dir, { recursive: true }) as string[]) {
    const stat = statSync(join(dir, name));
    t.is(stat.mode & 0o77, 0, `${name} is private`);
  }
  store.close();
  rmSync(join(dir, 'index.shard'));
  const again = ArtifactStore.open(dir);
  t.is(again.size, keys.length, 'the files know their keys');
  for (const [i, key] of keys.entries()) same(t, again.output(key, 0), pattern(8, i), key);
  again.close();
});

test('outputs that are put again in another shape leave no old files', (t) => {
  const dir = folder(t);
  const store = ArtifactStore.open(dir);
  const puts: [number, boolean][] = [
    [3, false],
    [1, false],
    [2, true],
    [0, true],
    [4, false],
    [0, false],
    [2, false],
  ];
  for (const [round, [count, pack]] of puts.entries()) {
    const outputs = Array.from({ length: count }, (_, i) => pattern(20, round * 10 + i));
    store.putOutputs('k', outputs, { pack });
    store.insert('k', meta(outputs.map(() => 20)));
    store.flush();
    const packed = pack || count === 0;
    t.deepEqual(payloads(dir), packed ? ['k.pack'] : outputs.map((_, i) => `k_${i}`));
    for (const [i, output] of outputs.entries()) same(t, store.output('k', i), output);
    t.is(store.output('k', count), undefined);
  }
  store.close();
});
