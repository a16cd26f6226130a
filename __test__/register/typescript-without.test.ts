// On a machine without a transpiler, or without a place for a cache, a program did not run at all.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { Project, STRIPS } from '../helpers/typed-program.js';

const PLAIN_TYPES = {
  'main.ts': "const { size } = require('./size.ts');\nconst n: number = size('abc');\nconsole.log(n);\n",
  'size.ts': 'interface A {\n  b: string;\n}\nexports.size = (text: string): number => text.length;\n',
};

test('without a transpiler a program runs as without warmshard', (t) => {
  const project = new Project(t, PLAIN_TYPES);
  const plain = project.run('main.ts', { plain: true });
  for (const run of [project.run('main.ts'), project.run('main.ts')]) {
    t.is(run.status, plain.status);
    t.is(run.stdout, plain.stdout);
    t.is(run.stderr.includes('SyntaxError'), plain.stderr.includes('SyntaxError'));
  }
});

(STRIPS ? test : test.skip)(
  "Node.js' own type stripping is done once, and frames need no source map",
  (t) => {
    const project = new Project(t, {
      ...PLAIN_TYPES,
      'size.ts': 'interface A {\n  b: string;\n}\nexports.size = (text: string): number => text.raise();\n',
    });
    const plain = project.run('main.ts', { plain: true });
    const runs = [project.run('main.ts'), project.run('main.ts', { env: { WARMSHARD_DEBUG: '1' } })];
    t.is(runs[0]?.stderr, plain.stderr);
    t.is(runs[1]?.stderr.replace(/^warmshard: .*\n/gm, ''), plain.stderr);
    t.regex(runs[1]?.stderr ?? '', /warmshard: hit .*size\.ts/);
  },
);

(STRIPS ? test : test.skip)('ES modules whose types Node.js strips are left to it', (t) => {
  const project = new Project(t, {
    'main.ts':
      "import { size } from './size.ts';\nconst n: number = size;\nconsole.log(n, import.meta.url.length > 9);\n",
    'size.ts': 'export const size: number = 3;\n',
  });
  t.is(project.twice(t, 'main.ts'), project.run('main.ts', { plain: true }).stdout);
});

test('a transpiler that is installed later is used, and one that is removed is not', (t) => {
  const project = new Project(t, { 'main.ts': 'enum A { B = 1 }\nconsole.log(A.B);\n' });
  const before = project.run('main.ts');
  project.watchedTranspiler();
  t.is(project.twice(t, 'main.ts'), '1\n');
  t.deepEqual(project.transpiled(), ['loaded', 'main.ts']);
  project.write('node_modules/esbuild/package.json', '');
  project.remove('node_modules/esbuild');
  const after = project.run('main.ts');
  t.is(after.status, before.status);
  t.is(after.stdout, before.stdout);
});

test('if there can be no shard, files are still transpiled', (t) => {
  const project = new Project(t, { 'main.ts': 'const n: number = 1;\nconsole.log(n);\n' });
  project.link('esbuild');
  writeFileSync(project.home, 'in the way');
  t.is(project.twice(t, 'main.ts'), '1\n');
});

test('a read-only shard serves, and other files are transpiled', (t) => {
  const project = new Project(t, {
    'setup.cjs': `require(${JSON.stringify(join(__dirname, '../../dist/register.cjs'))}).enable({ readOnly: true });\n`,
    'main.ts': "import { n } from './n';\nconsole.log(n);\n",
    'n.ts': 'export const n: number = 1;\n',
  });
  project.watchedTranspiler();
  mkdirSync(project.home);
  project.run('main.ts');
  project.transpiled();
  project.write('n.ts', 'export const n: number = 2;\n');
  const options = { nodeArgs: ['-r', join(project.path, 'setup.cjs')] };
  t.is(project.twice(t, 'main.ts', { plain: true, ...options }), '2\n');
  t.deepEqual(project.transpiled(), ['loaded', 'n.ts', 'loaded', 'n.ts']);
});

test('a worker thread runs TypeScript', (t) => {
  const project = new Project(t, {
    'main.ts': `import { Worker, isMainThread, parentPort } from 'node:worker_threads';
const file: string = __filename;
if (isMainThread) new Worker(file, { execArgv: process.execArgv }).on('message', (said: string) => console.log(said));
else parentPort!.postMessage('from the thread' as string);
`,
  });
  project.link('esbuild');
  t.is(project.twice(t, 'main.ts'), 'from the thread\n');
});

for (const [what, nodeArgs, env] of [
  ['a profile', ['--cpu-prof'], {}],
  ['coverage', [], { NODE_V8_COVERAGE: 'coverage' }],
  ['source maps', ['--enable-source-maps'], {}],
] as const)
  test(`a program that is run with ${what} is still transpiled, and its frames are right`, (t) => {
    const project = new Project(t, {
      'main.ts': `interface A {
  b: string;
}
enum B { C = 1 }
console.log(B.C, new Error('here').stack!.split('\\n')[1]);
`,
    });
    project.link('esbuild');
    const said = project.twice(t, 'main.ts', { nodeArgs: [...nodeArgs], env });
    t.is(said, `1     at Object.<anonymous> (${project.path}/main.ts:5:18)\n`);
  });

test('a debugger gets the source maps', (t) => {
  const project = new Project(t, {
    'main.ts': `import { Session } from 'node:inspector';
const session: Session = new Session();
session.connect();
session.on('Debugger.scriptParsed', ({ params }: { params: { url: string; sourceMapURL: string } }) => {
  if (params.url.endsWith('main.ts')) console.log(params.sourceMapURL.split(',')[0]);
});
session.post('Debugger.enable');
`,
  });
  project.link('esbuild');
  t.is(project.twice(t, 'main.ts', { nodeArgs: ['--cpu-prof'] }), 'data:application/json;base64\n');
  t.is(project.twice(t, 'main.ts'), 'main.ts.map\n');
});
