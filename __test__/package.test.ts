// A program imported warmshard and one of its libraries required it; they got two copies, and `instanceof` failed between them.

import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import ts from 'typescript';
import { AS_SHIPPED, BUDGET, ownPlatform, PLATFORMS } from '../scripts/cross/platforms.mjs';
import { folder } from './helpers/folder.js';

const root = join(__dirname, '..');
const manifest = (folder: string) => JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));

for (const door of ['warmshard', 'warmshard/keyv']) {
  test(`import and require of ${door} give the same names and the same values`, async (t) => {
    const required: Record<string, unknown> = require(door);
    const imported: Record<string, unknown> = await import(door);
    t.deepEqual(Object.keys(imported).sort(), Object.keys(required).sort());
    for (const [name, value] of Object.entries(required)) t.is(imported[name], value, name);
  });

  test(`exported functions and classes of ${door} keep their names`, (t) => {
    for (const [name, value] of Object.entries(require(door) as Record<string, unknown>))
      if (typeof value === 'function') t.is(value.name, name);
  });
}

test('a release contains the bundles, the types and the documents, and nothing else', (t) => {
  const out = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [packed] = JSON.parse(out) as { files: { path: string }[] }[];
  const papers = ['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json'];
  t.deepEqual(
    packed?.files.map((file) => file.path).sort(),
    [
      ...papers,
      'dist/cli.cjs',
      'dist/index.cjs',
      'dist/index.d.mts',
      'dist/index.mjs',
      'dist/keyv.cjs',
      'dist/keyv.d.mts',
      'dist/keyv.d.ts',
      'dist/keyv.mjs',
      'dist/later.cjs',
      ...['esm', 'failure', 'importing', 'opening', 'recording', 'rest', 'scan', 'stacks', 'typescript'].map(
        (name) => `dist/register-${name}.cjs`,
      ),
      'dist/register.cjs',
      'dist/register.d.mts',
      'dist/register.d.ts',
      'dist/register.mjs',
      'dist/seldom.cjs',
      'dist/stores.cjs',
      'index.d.ts',
    ].sort(),
  );
});

test('every platform package has the version of the main one, and names its binary', (t) => {
  const { version } = manifest('.');
  const platforms = readdirSync(join(root, 'npm'));
  t.is(platforms.length, 6);
  for (const platform of platforms) {
    const own = manifest(`npm/${platform}`);
    t.is(own.name, `@warmshard/${platform}`);
    t.is(own.version, version);
    t.is(own.main, `warmshard.${platform}.node`);
    // The fast door, one for each ABI of Node.js, is for Linux only.
    const door = platform.startsWith('linux-') ? [`warmshard-fast.${platform}.*.node`] : [];
    t.deepEqual(own.files, [own.main, ...door]);
  }
});

test('the binary is not larger than its budget, and every platform has a budget', (t) => {
  t.deepEqual(Object.keys(BUDGET).sort(), readdirSync(join(root, 'npm')).sort());
  t.deepEqual(Object.keys(PLATFORMS).sort(), Object.keys(BUDGET).sort());
  const own = ownPlatform();
  const { size } = statSync(join(root, `warmshard.${own}.node`));
  const budget = (BUDGET[own] as number) + AS_SHIPPED;
  t.true(size <= budget, `${size} bytes; ${budget} are the budget of ${own}`);
});

test('the types need neither those of Node.js nor the newest library of TypeScript', (t) => {
  const project = folder(t);
  mkdirSync(join(project, 'node_modules/warmshard'), { recursive: true });
  for (const [from, to] of [
    ['index.d.ts', 'index.d.ts'],
    ['dist/keyv.d.ts', 'keyv.d.ts'],
  ] as const)
    copyFileSync(join(root, from), join(project, 'node_modules/warmshard', to));
  const file = join(project, 'a.ts');
  writeFileSync(
    file,
    `import { Shard } from 'warmshard';
    import { KeyvShard } from 'warmshard/keyv';
    const shard = Shard.open('a.shard');
    new KeyvShard(shard).shard[Symbol.dispose]();`,
  );
  for (const newest of [[], ['lib.esnext.d.ts']]) {
    const program = ts.createProgram([file], {
      strict: true,
      noEmit: true,
      types: [],
      lib: ['lib.es2022.d.ts', 'lib.dom.d.ts', ...newest],
      module: ts.ModuleKind.ESNext,
      moduleResolution: ts.ModuleResolutionKind.Bundler,
    });
    const wrong = ts
      .getPreEmitDiagnostics(program)
      .map((d) => ts.flattenDiagnosticMessageText(d.messageText, '\n'));
    t.deepEqual(wrong, []);
  }
});

test('every module resolution of TypeScript finds the types of both entry points', (t) => {
  const { Node10, Node16, Bundler } = ts.ModuleResolutionKind;
  const project = folder(t);
  mkdirSync(join(project, 'node_modules'));
  symlinkSync(root, join(project, 'node_modules/warmshard'));
  for (const moduleResolution of [Node10, Node16, Bundler])
    for (const door of ['warmshard', 'warmshard/register', 'warmshard/keyv']) {
      const asked = join(project, 'a.ts');
      const { resolvedModule } = ts.resolveModuleName(door, asked, { moduleResolution }, ts.sys);
      t.regex(resolvedModule?.resolvedFileName ?? '', /\.d\.m?ts$/, `${moduleResolution} ${door}`);
    }
});
