// After an install with --omit=optional the binary was missing, and the error said only "Cannot find module './x.node'".

import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, readdirSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import test from 'ava';
import { Shard, WarmshardError } from 'warmshard';
import { type Inside, inChild } from './helpers/child.js';
import { folder, shardPath } from './helpers/folder.js';

const root = join(__dirname, '..');
const built = readdirSync(root).find((name) => /^warmshard\..*\.node$/.test(name)) as string;

test('a binary that cannot be loaded is ERR_NATIVE_LOAD, and the error says what was tried', async (t) => {
  const dir = folder(t);
  const files: Record<string, string> = {
    'text.node': 'not a binary',
    'empty.node': '',
    'other.cjs': 'module.exports = { some: "thing" }',
    'null.cjs': 'module.exports = null',
    'number.json': '5',
    'throws.cjs': 'throw new Error("no")',
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(dir, name), content);
  const body = ({ warmshard: { Shard, WarmshardError } }: Inside, path: string) => {
    const attempt = () => {
      try {
        Shard.open(path);
        return ['opened'];
      } catch (error) {
        const { code, message } = error as { code: string; message: string };
        return [code, error instanceof WarmshardError, message];
      }
    };
    // The first attempt must not leave anything behind that makes the second one succeed.
    return [attempt(), attempt()];
  };
  for (const target of [
    ...Object.keys(files).map((name) => join(dir, name)),
    '/nonexistent',
    dir,
    'no-such-package',
  ]) {
    const env = { WARMSHARD_NATIVE_PATH: target };
    const attempts = await inChild(t, body, join(dir, 'cache.shard'), { env });
    for (const [code, ours, message] of attempts) {
      t.is(code, 'ERR_NATIVE_LOAD', `${target}: ${message}`);
      t.true(ours);
      t.true(`${message}`.includes(target) && `${message}`.includes('WARMSHARD_NATIVE_PATH'));
    }
  }
});

test('errors are WarmshardErrors if the runtime replaces the exports object of the binary', (t) => {
  const code = `
    const { dlopen } = process;
    process.dlopen = (module, path) => {
      const own = { exports: {} };
      dlopen(own, path);
      module.exports = own.exports;
    };
    const { Shard, WarmshardError } = require(${JSON.stringify(root)});
    const shard = Shard.open(${JSON.stringify(shardPath(t))});
    const found = [];
    for (const attempt of [() => shard.put('\\ud800', new Uint8Array(1)), () => shard.info('\\ud800')]) {
      try {
        attempt();
      } catch (error) {
        found.push([error instanceof WarmshardError, error.code]);
      }
    }
    shard.flushAsync().then(() => console.log(JSON.stringify(found)));
  `;
  const found = execFileSync(process.execPath, ['-e', code], { encoding: 'utf8' });
  const refused = [true, 'ERR_INVALID_KEY'];
  t.deepEqual(JSON.parse(found), [refused, refused]);
});

test('WARMSHARD_NATIVE_PATH names the binary, wherever it is', async (t) => {
  const dir = folder(t);
  copyFileSync(join(root, built), join(dir, 'elsewhere.node'));
  const body = ({ warmshard: { Shard } }: Inside, path: string) => {
    const shard = Shard.open(path);
    shard.put('key', new Uint8Array(3));
    return shard.get('key')?.length;
  };
  const env = { WARMSHARD_NATIVE_PATH: join(dir, 'elsewhere.node') };
  t.is(await inChild(t, body, join(dir, 'cache.shard'), { env }), 3);
});

test('importing loads no binary: a program that never opens a shard needs none', async (t) => {
  const body = ({ warmshard }: Inside) => Object.keys(warmshard).length > 1;
  t.true(await inChild(t, body, null, { env: { WARMSHARD_NATIVE_PATH: '/nonexistent' } }));
});

test('import and require give the same classes', async (t) => {
  const imported = await import(pathToFileURL(join(root, 'dist', 'index.mjs')).href);
  t.is(imported.Shard, Shard);
  t.is(imported.WarmshardError, WarmshardError);
  const error = t.throws(() => imported.Shard.open(''));
  t.true(error instanceof WarmshardError);
  t.true(imported.Shard.open(shardPath(t)) instanceof Shard);
});

test('after the module cache is cleared, errors have the new class', async (t) => {
  const body = ({ warmshard }: Inside, path: string) => {
    const main = Object.keys(require.cache).find((name) => name.endsWith('index.cjs')) as string;
    const before = warmshard.Shard.open(path);
    const results: unknown[] = [];
    for (let i = 0; i < 5; i++) {
      delete require.cache[main];
      const again = require(main) as typeof warmshard;
      const shard = again.Shard.open(path);
      shard.put(`${i}`, new Uint8Array(i));
      try {
        shard.get('');
      } catch (error) {
        results.push(error instanceof again.WarmshardError, (error as { code: string }).code);
      }
    }
    results.push(before.size);
    return [...new Set(results)];
  };
  t.deepEqual(await inChild(t, body, shardPath(t)), [true, 'ERR_INVALID_KEY', 5]);
});

test('an installed package finds its binary below itself, beside itself, or where require finds it', (t) => {
  const triple = built.split('.')[1];
  const program = `
    const { Shard } = require('warmshard');
    const shard = Shard.open(process.argv[2]);
    shard.put('key', new Uint8Array(3));
    console.log(shard.get('key').length, process.report.getReport().sharedObjects.find((p) => /warmshard.*node$/.test(p)));`;
  // The package below has the version that this one depends on; a package beside it may have another version.
  for (const [places, used] of [
    [['node_modules/warmshard/node_modules', 'node_modules'], 'node_modules/warmshard/node_modules'],
    [['node_modules'], 'node_modules'],
    [['../node_modules'], '../node_modules'],
  ] as const) {
    const dir = join(folder(t), 'app');
    const own = join(dir, 'node_modules', 'warmshard');
    mkdirSync(own, { recursive: true });
    cpSync(join(root, 'dist'), join(own, 'dist'), { recursive: true });
    copyFileSync(join(root, 'package.json'), join(own, 'package.json'));
    for (const place of places) {
      const target = join(dir, place, '@warmshard', `${triple}`, built);
      mkdirSync(dirname(target), { recursive: true });
      copyFileSync(join(root, built), target);
      writeFileSync(join(dirname(target), 'package.json'), JSON.stringify({ main: built }));
    }
    writeFileSync(join(dir, 'app.cjs'), program);
    const out = execFileSync(process.execPath, ['app.cjs', join(dir, 'cache.shard')], {
      cwd: dir,
      encoding: 'utf8',
    });
    const [bytes, binary] = out.trim().split(' ');
    t.is(bytes, '3');
    t.is(realpathSync(`${binary}`), realpathSync(join(dir, used, '@warmshard', `${triple}`, built)));
  }
});
