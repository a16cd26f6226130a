// Half of a project consisted of ES modules, and those were transpiled at each start.

import { join } from 'node:path';
import test from 'ava';
import { HOOKS, Project, REGISTER } from '../helpers/typed-program.js';

const hooked = HOOKS ? test : test.skip;

const FILES = {
  'package.json': '{ "type": "module" }',
  'main.ts': `import { Color, hello } from './hello.js';
import { kind } from './kind.cjs';
import { plain } from './plain.js';
import data from './data.json' with { type: 'json' };
import { fromPackage } from 'thing';
const n: number = await Promise.resolve(5);
const late = await import('./late.mjs?again');
console.log(hello(n), Color.Red, kind, plain, (data as { v: number }).v, fromPackage, late.late);
`,
  'hello.ts': "export enum Color { Red = 'r' }\nexport const hello = (n: number): string => n + 'h';\n",
  'kind.cts': 'export const kind: string = __filename.slice(-8);\n',
  'plain.js': 'export const plain = 1;\n',
  'late.mts': 'export const late: boolean = import.meta.url.includes(".mts");\n',
  'data.json': '{ "v": 7 }',
  'node_modules/thing/package.json': '{ "exports": { "import": "./esm.mjs", "require": "./cjs.cjs" } }',
  'node_modules/thing/esm.mjs': 'export const fromPackage = "import";\n',
  'node_modules/thing/cjs.cjs': 'exports.fromPackage = "require";\n',
};
const SAID = '5h r kind.cts 1 7 import true\n';

/** Here one file is imported with a query, which makes it another module. */
const LATE = { ...FILES, 'main.ts': FILES['main.ts'].replace('late.mjs?again', 'late.mts?again') };

/** Prints how many requests had to be resolved by searching. */
const STATUS = `const { status } = require(${JSON.stringify(REGISTER)});
process.on('exit', () => console.log('searched', status().searched));
`;

hooked('ES modules of TypeScript are transpiled once', (t) => {
  const project = new Project(t, LATE);
  project.watchedTranspiler();
  t.is(project.run('main.ts').stdout, SAID);
  t.deepEqual(project.transpiled().sort(), ['hello.ts', 'kind.cts', 'late.mts', 'loaded', 'main.ts']);
  t.is(project.run('main.ts').stdout, SAID);
  t.deepEqual(project.transpiled(), []);
  project.write('hello.ts', FILES['hello.ts'].replace("'r'", "'b'"));
  t.is(project.run('main.ts').stdout, SAID.replace(' r ', ' b '));
  t.deepEqual(project.transpiled(), ['loaded', 'hello.ts']);
});

hooked(
  'what an import of a package resolves to is remembered, and resolved again when the package changes',
  (t) => {
    const project = new Project(t, LATE);
    project.watchedTranspiler();
    const env = { WARMSHARD_DEBUG: '1' };
    t.is(project.run('main.ts').stdout, SAID);
    project.write('status.cjs', STATUS);
    const options = { nodeArgs: ['-r', join(project.path, 'status.cjs')] };
    t.regex(project.run('main.ts', options).stdout, /\nsearched 0\n$/);
    project.write('node_modules/thing/package.json', '{ "exports": { "import": "./cjs.cjs" } }');
    t.is(project.run('main.ts', { env }).stdout, SAID.replace('import', 'require'));
  },
);

hooked('whatever Node.js warns about an import, it warns about in every run', (t) => {
  const project = new Project(t, {
    'main.mts':
      "import a from 'unclear';\nimport b from 'clear';\nimport c from '@own/slash/x//a';\nconsole.log(a, b, c);\n",
    'node_modules/unclear/package.json': '{ "name": "unclear", "type": "module" }',
    'node_modules/unclear/index.js': 'export default 1;\n',
    'node_modules/clear/package.json': '{ "name": "clear", "type": "module", "main": "index.js" }',
    'node_modules/clear/index.js': 'export default 2;\n',
    'node_modules/@own/slash/package.json': '{ "exports": { "./x/*": "./*.cjs" } }',
    'node_modules/@own/slash/a.cjs': 'module.exports = 3;\n',
  });
  project.link('esbuild');
  project.write('status.cjs', STATUS);
  const nodeArgs = ['-r', join(project.path, 'status.cjs')];
  for (const searched of ['[34]', '2', '2']) {
    const { stdout, stderr } = project.run('main.mts', { nodeArgs });
    t.regex(stdout, new RegExp(`^1 2 3\nsearched ${searched}\n$`));
    t.regex(stderr, /DEP0151.*unclear/);
    t.notRegex(stderr, /DEP0151.*\/clear/);
    t.regex(stderr, /DEP0166/);
  }
});

hooked('warmshard can be preloaded by --import, too', (t) => {
  const project = new Project(t, LATE);
  project.watchedTranspiler();
  const options = { plain: true, nodeArgs: ['--import', REGISTER] };
  t.is(project.twice(t, 'main.ts', options), SAID);
  t.deepEqual(project.transpiled().filter((line) => line === 'loaded').length, 1);
});

hooked('a CommonJS program can be run with --import', (t) => {
  const project = new Project(t, { 'main.cts': 'enum A { B = 1 }\nconsole.log(A.B, typeof require);\n' });
  project.link('esbuild');
  t.is(project.twice(t, 'main.cts', { plain: true, nodeArgs: ['--import', REGISTER] }), '1 function\n');
});

hooked('a CommonJS program requires and imports ES modules of TypeScript', (t) => {
  const project = new Project(t, {
    'main.ts': `import { one } from './esm/one.js';
console.log(one);
import('./esm/two.js').then(({ two }: { two: number }) => console.log(two));
`,
    'esm/package.json': '{ "type": "module" }',
    'esm/one.ts': "import { two } from './two.js';\nexport const one: number = two - 1;\n",
    'esm/two.ts': 'export const two: number = import.meta.url.length > 9 ? 2 : 0;\n',
  });
  project.watchedTranspiler();
  t.is(project.twice(t, 'main.ts'), '1\n2\n');
  t.is(project.transpiled().filter((line) => line === 'loaded').length, 1);
});

hooked('a file with a top-level await is an ES module, whatever its name', (t) => {
  const project = new Project(t, {
    'main.ts': "import { n } from './n.ts';\nconsole.log(await Promise.resolve(n as number));\n",
    'n.ts': 'export const n: number = 1;\n',
  });
  project.link('esbuild');
  t.is(project.twice(t, 'main.ts'), '1\n');
});

hooked('the error for a mistake in an ES module says where it is', (t) => {
  const project = new Project(t, {
    'package.json': '{ "type": "module" }',
    'main.ts': "import './wrong.js';\n",
    'wrong.ts': 'const wrong: = 2;\n',
  });
  project.link('esbuild');
  const { status, stderr } = project.run('main.ts');
  t.is(status, 1);
  t.true(stderr.includes(`SyntaxError: Unexpected "="\n${project.path}/wrong.ts:1:14\n`), stderr);
});

hooked('paths of tsconfig.json apply to ES modules', (t) => {
  const project = new Project(t, {
    'package.json': '{ "type": "module" }',
    'tsconfig.json': '{ "compilerOptions": { "paths": { "@/*": ["./lib/*"] } } }',
    'main.ts': "import { n } from '@/n';\nimport { m } from './lib/m';\nconsole.log(n, m);\n",
    'lib/n.ts': 'export const n: number = 1;\n',
    'lib/m.js': 'export const m = 2;\n',
  });
  project.link('esbuild');
  t.is(project.twice(t, 'main.ts'), '1 2\n');
});

test('if Node.js has no hooks, ES modules of TypeScript are left to it', (t) => {
  if (HOOKS) return t.pass();
  const project = new Project(t, { 'main.mts': 'console.log(1 as number);\n' });
  project.link('esbuild');
  const plain = project.run('main.mts', { plain: true });
  const { status, stdout, stderr } = project.run('main.mts');
  return t.deepEqual({ status, stdout, stderr }, plain);
});
