// A test runner loaded the package in a realm of its own, with jsdom's timers as globals. There no Buffer was an instance of
// Uint8Array, and a timer without `unref` made the tests fail.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { compileFunction, createContext, runInNewContext } from 'node:vm';
import test from 'ava';
import * as here from 'warmshard';
import { folder, shardPath } from './helpers/folder.js';

type Package = typeof here;

const host = { name: 'app', version: '1' };

/** Timers like those of jsdom, which are numbers. */
const started: number[] = [];
const startTimer = () => started.push(1);

/** Loads the package in another realm, whose `Uint8Array` is not that of Buffer. */
function elsewhere(): Package {
  const globals = { Buffer, process, AbortSignal, setInterval: startTimer, clearInterval: () => {} };
  const realm = createContext(globals);
  const loaded = new Map<string, { exports: unknown }>();
  const load = (file: string): unknown => {
    const known = loaded.get(file);
    if (known !== undefined) return known.exports;
    const module = { exports: {} as unknown };
    loaded.set(file, module);
    const own = createRequire(file);
    const ask = (name: string) =>
      /^[./].*\.cjs$/.test(name) ? load(own.resolve(name)) : (own(name) as unknown);
    const parameters = ['exports', 'require', 'module', '__filename', '__dirname'];
    const text = readFileSync(file, 'utf8');
    const run = compileFunction(text, parameters, { filename: file, parsingContext: realm });
    run(module.exports, Object.assign(ask, { resolve: own.resolve }), module, file, dirname(file));
    return module.exports;
  };
  return load(require.resolve('warmshard')) as Package;
}

for (const [name, warmshard] of [
  ['bytes of another realm', here],
  ['the package in another realm', elsewhere()],
] as const) {
  /** Bytes that are not an instance of the package's `Uint8Array`. */
  const bytes = (...values: number[]): Uint8Array =>
    warmshard === here ? runInNewContext(`new Uint8Array(${JSON.stringify(values)})`) : Buffer.from(values);

  test(`${name}: codecs`, (t) => {
    const values = { utf8: 'text', json: { a: [1] }, structured: { a: 1n }, constants: [1, 'a'] };
    for (const [codec, value] of Object.entries(values)) {
      const shard = warmshard.Shard.open<unknown>(shardPath(t), { codec: codec as here.CodecName });
      shard.mergeIn([['key', value]]);
      t.is(JSON.stringify(shard.get('key'), show), JSON.stringify(value, show), codec);
      shard.close();
    }
    const codec = { encode: () => bytes(1, 2), decode: (found: Uint8Array) => found.length };
    const own = warmshard.Shard.open<number>(shardPath(t), { codec });
    own.put('key', 2);
    t.is(own.get('key'), 2);
    own.close();
    const failing = warmshard.Shard.open<unknown>(shardPath(t), { codec: 'structured' });
    t.regex(t.throws(() => failing.put('key', () => 1))?.message ?? '', /could not be cloned/);
    failing.close();
  });

  test(`${name}: options, validators and values`, (t) => {
    const shard = warmshard.Shard.open(shardPath(t), { digest: { key: bytes(...Array(32).keys()) } });
    for (const validator of [bytes(7), { digest: bytes(8) }]) {
      shard.put('key', bytes(1), { validator });
      t.is(shard.get('key', validator)?.length, 1);
      t.is(shard.get('key', bytes(9)), undefined);
    }
    shard.close();
  });

  test(`${name}: stores`, (t) => {
    const functions = warmshard.AutoloadCache.open(shardPath(t), { host });
    t.is(functions.writer().add('name', bytes(1)).commit(), 1);
    functions.close();
    const artifacts = warmshard.ArtifactStore.open(folder(t));
    artifacts.insert('key', { outputNames: [], outputSizes: [], stderr: bytes(1, 2) });
    t.is(artifacts.get('key')?.stderr.length, 2);
    artifacts.close();
  });

  test(`${name}: a signal of another realm`, async (t) => {
    const shard = warmshard.Shard.open(shardPath(t));
    const signal = Object.create(
      { aborted: true, addEventListener() {}, removeEventListener() {} },
      {},
    ) as AbortSignal;
    await t.throwsAsync(shard.verifyAsync({ signal }), { code: 'ERR_ABORTED' });
    shard.close();
  });
}

test('the timers of Node.js are used, whatever the globals contain', async (t) => {
  const shard = elsewhere().Shard.open(shardPath(t));
  await shard.verifyAsync({ onProgress() {} });
  await pause(10);
  shard.close();
  t.deepEqual(started, []);
});

const show = (_: string, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value);
