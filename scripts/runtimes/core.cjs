// The core of the suite in plain CommonJS, for runtimes and machines on which ava does not run. If anything fails, it
// says what, and exits with 1. docs/runtimes.md has a table of what differs.

const assert = require('node:assert');
const fs = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { spawnSync } = require('node:child_process');
const warmshard = require('warmshard');

const { Shard, ScriptCache, AutoloadCache, ArtifactStore, DiskPipelineCache, WarmshardError, fingerprint } =
  warmshard;
const bytes = (length, fill = 1) => new Uint8Array(length).fill(fill);
const host = { name: 'core', version: '1' };
/** The command that starts a child: some runtimes need a wrapper such as an emulator. */
const CHILD = JSON.parse(process.env.CORE_COMMAND ?? JSON.stringify([process.execPath]));

if (process.env.CORE_ROLE === 'writer') {
  const shard = Shard.open(process.env.CORE_PATH, { host });
  for (let i = 0; i < 50; i++) shard.put(`child ${i}`, bytes(100, i));
  shard.close();
  process.exit(0);
}

const checks = {
  'what was put comes back, of every size': (dir) => {
    const shard = Shard.open(join(dir, 'a'), { host });
    for (const size of [0, 1, 63, 64, 4096, 100_000, 3_000_000]) {
      shard.put(`${size}`, bytes(size, 7));
      const value = shard.get(`${size}`);
      assert.equal(value.length, size);
      assert.ok(value.every((byte) => byte === 7));
    }
    assert.equal(shard.get('absent'), undefined);
    assert.equal(shard.has('64'), true);
    assert.equal(shard.verify().ok, true);
  },
  'keys of every kind of string': (dir) => {
    const shard = Shard.open(join(dir, 'a'));
    const keys = ['a', 'é', '漢字', '😀', 'x'.repeat(1000), `${'a'.repeat(20)}${Math.PI}`];
    for (const [i, key] of keys.entries()) shard.put(key, bytes(i + 1));
    for (const [i, key] of keys.entries()) assert.equal(shard.get(key).length, i + 1, key);
    assert.throws(
      () => shard.get('\ud800'),
      (error) => error.code === 'ERR_INVALID_KEY',
    );
    assert.throws(
      () => shard.get(5),
      (error) => error instanceof WarmshardError,
    );
  },
  'codecs, parts and validators': (dir) => {
    const json = Shard.open(join(dir, 'a'), { codec: 'json' });
    json.put('key', { a: [1, { b: 'c' }] });
    assert.deepEqual(json.get('key'), { a: [1, { b: 'c' }] });
    const structured = Shard.open(join(dir, 'b'), { codec: 'structured' });
    structured.put('key', new Map([[1, new Date(5)]]));
    assert.equal(structured.get('key').get(1).getTime(), 5);
    const parts = Shard.open(join(dir, 'c'), { parts: ['one', 'two'] });
    parts.put('key', { one: bytes(1), two: bytes(2) });
    assert.equal(parts.getParts('key').two.length, 2);
    const checked = Shard.open(join(dir, 'd'));
    checked.put('key', bytes(3), { validator: bytes(4) });
    assert.equal(checked.get('key', bytes(4)).length, 3);
    assert.equal(checked.get('key', bytes(5)), undefined);
  },
  'many keys at once, walks and lists': (dir) => {
    const shard = Shard.open(join(dir, 'a'));
    const keys = Array.from({ length: 3000 }, (_, i) => `key ${i}`);
    assert.equal(shard.mergeIn(keys.map((key, i) => [key, bytes(i % 50)])), 3000);
    assert.equal(shard.getMany(keys).filter((value, i) => value?.length === i % 50).length, 3000);
    assert.equal([...shard.keys()].length, 3000);
    assert.equal([...shard.entries()].length, 3000);
    assert.equal(shard.delete('key 5'), true);
    assert.equal(shard.size, 2999);
    shard.compact();
    assert.equal(shard.get('key 6').length, 6);
  },
  'views stay valid after puts, compaction, clear and close': (dir) => {
    const shard = Shard.open(join(dir, 'a'));
    for (let i = 0; i < 200; i++) shard.put(`${i}`, bytes(2000, i));
    const views = Array.from({ length: 200 }, (_, i) => shard.get(`${i}`));
    shard.compact();
    for (let i = 0; i < 200; i++) shard.put(`${i}`, bytes(2000, 99));
    shard.clear();
    shard.close();
    for (const [i, view] of views.entries()) assert.ok(view.every((byte) => byte === i));
  },
  'copies are the caller’s own': (dir) => {
    const shard = Shard.open(join(dir, 'a'), { copy: true });
    shard.put('key', bytes(10, 3));
    shard.put('large', bytes(200_000, 3));
    for (const key of ['key', 'large']) {
      shard.get(key).fill(9);
      assert.equal(shard.get(key)[0], 3);
    }
  },
  'work off the event loop': async (dir) => {
    const shard = Shard.open(join(dir, 'a'));
    await shard.mergeInAsync(Array.from({ length: 500 }, (_, i) => [`${i}`, bytes(500, i)]));
    await Promise.all([shard.flushAsync(), shard.compactAsync(), shard.verifyAsync()]);
    assert.equal(shard.size, 500);
    const aborted = new AbortController();
    aborted.abort();
    await assert.rejects(shard.mergeInAsync([['x', bytes(1)]], { signal: aborted.signal }), {
      code: 'ERR_ABORTED',
    });
  },
  'another process’ puts are seen': (dir) => {
    const path = join(dir, 'a');
    const shard = Shard.open(path, { host });
    assert.equal(shard.get('child 49'), undefined);
    const env = { ...process.env, CORE_ROLE: 'writer', CORE_PATH: path };
    const [command, ...args] = CHILD;
    const { status, stderr } = spawnSync(command, [...args, __filename], { env, encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    assert.equal(shard.get('child 49')?.[0], 49);
  },
  'a worker’s puts are seen': async (dir) => {
    const { Worker } = require('node:worker_threads');
    const path = join(dir, 'a');
    const shard = Shard.open(path);
    const code = `const { Shard } = require(${JSON.stringify(require.resolve('warmshard'))});
      const { workerData: path } = require('node:worker_threads');
      const shard = Shard.open(path); shard.put('worker', new Uint8Array(8)); shard.close();`;
    const exit = await new Promise((done, fail) => {
      const worker = new Worker(code, { eval: true, workerData: path });
      worker.once('error', fail);
      worker.once('exit', done);
    });
    assert.equal(exit, 0);
    assert.equal(shard.get('worker')?.length, 8);
  },
  'damage is a miss, never a wrong answer': (dir) => {
    const path = join(dir, 'a');
    const shard = Shard.open(path);
    shard.put('key', bytes(5000, 5));
    shard.put('other', bytes(5000, 6));
    shard.close();
    const file = fs.readFileSync(path);
    file[file.indexOf(Buffer.alloc(64, 5)) + 100] ^= 1;
    fs.writeFileSync(path, file);
    const again = Shard.open(path);
    assert.equal(again.get('key'), undefined);
    assert.equal(again.get('other')?.[0], 6);
  },
  'a shard in a folder that nobody may write to serves': (dir) => {
    const path = join(dir, 'resources', 'a');
    const shard = Shard.open(path);
    shard.put('key', bytes(9));
    shard.close();
    fs.rmSync(`${path}.lock`);
    fs.chmodSync(path, 0o400);
    fs.chmodSync(join(dir, 'resources'), 0o500);
    const shipped = Shard.open(path, { readOnly: true });
    assert.equal(shipped.get('key').length, 9);
    assert.throws(
      () => shipped.put('x', bytes(1)),
      (error) => error.code === 'ERR_READ_ONLY',
    );
    shipped.close();
    fs.chmodSync(join(dir, 'resources'), 0o700);
  },
  'the typed stores': (dir) => {
    const scripts = ScriptCache.open(join(dir, 'scripts'), { host });
    scripts.save(__filename, { code: bytes(4) });
    assert.equal(scripts.load(__filename)?.code.length, 4);
    const autoload = AutoloadCache.open(join(dir, 'autoload'), { host });
    autoload.mergeIn([['f', bytes(3)]]);
    assert.equal(autoload.get('f').length, 3);
    assert.deepEqual(autoload.missing(['f', 'g']), ['g']);
    const store = ArtifactStore.open(join(dir, 'store'));
    store.putOutputs('k', [bytes(5)]);
    assert.equal(store.output('k', 0)?.length, 5);
    store.close();
    const pipeline = DiskPipelineCache.open(join(dir, 'pipeline'));
    const print = fingerprint('a', bytes(2));
    pipeline.put(print, bytes(6));
    assert.equal(pipeline.get(print)?.length, 6);
  },
};

async function main() {
  let failed = 0;
  for (const [name, check] of Object.entries(checks)) {
    const dir = fs.mkdtempSync(join(tmpdir(), 'warmshard-core-'));
    try {
      await check(dir);
      console.log(`  ok      ${name}`);
    } catch (error) {
      failed++;
      console.log(`  FAILED  ${name}: ${error?.stack ?? error}`);
    } finally {
      fs.rmSync(dir, { recursive: true, force: true });
    }
  }
  const shard = Shard.open(join(fs.mkdtempSync(join(tmpdir(), 'warmshard-core-')), 'a'));
  shard.put('key', bytes(100_000));
  for (let i = 0; i < 2000; i++) shard.get('key');
  const { mapped, door, doorShut } = shard.stats();
  const lent = shard.get('key').buffer.byteLength > 100_000;
  console.log(JSON.stringify({ mapped, lent, door, doorShut }));
  console.log(`${Object.keys(checks).length - failed} passed, ${failed} failed`);
  process.exit(failed === 0 ? 0 : 1);
}

main();
