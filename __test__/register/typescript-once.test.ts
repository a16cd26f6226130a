// A command-line tool in TypeScript spent a quarter of a second at each start in a transpiler that had nothing new to do.

import test from 'ava';
import { Project } from '../helpers/typed-program.js';

const FILES = {
  'main.ts': `import { size, Unit } from './size';
import type { Unused } from './types';
const unused: Unused | undefined = undefined;
console.log(size(2), Unit.Meter, unused, __filename.endsWith('main.ts'));
`,
  'size.ts': `export enum Unit { Meter = 'm' }
export function size<T extends number>(n: T): string { return \`\${n}\${Unit.Meter}\`; }
`,
  'types.ts': 'export interface Unused { a: number }\n',
};

test('the transpiler is loaded for the first run, and then not at all', (t) => {
  const project = new Project(t, FILES);
  project.watchedTranspiler();
  t.is(project.run('main.ts').stdout, '2m m undefined true\n');
  t.deepEqual(project.transpiled(), ['loaded', 'main.ts', 'size.ts']);
  t.is(project.run('main.ts').stdout, '2m m undefined true\n');
  t.deepEqual(project.transpiled(), []);
});

test('only a file that was edited is transpiled again', (t) => {
  const project = new Project(t, FILES);
  project.watchedTranspiler();
  project.run('main.ts');
  project.transpiled();
  // The same size and time as before.
  project.write('size.ts', FILES['size.ts'].replace("Meter = 'm'", "Meter = 'k'"));
  t.is(project.run('main.ts').stdout, '2k k undefined true\n');
  t.deepEqual(project.transpiled(), ['loaded', 'size.ts']);
  t.is(project.run('main.ts').stdout, '2k k undefined true\n');
  t.deepEqual(project.transpiled(), []);
});

test('with another version of the transpiler everything is transpiled again', (t) => {
  const project = new Project(t, FILES);
  project.watchedTranspiler('1.0.0');
  project.run('main.ts');
  project.transpiled();
  project.watchedTranspiler('1.0.1');
  project.run('main.ts');
  t.deepEqual(project.transpiled(), ['loaded', 'main.ts', 'size.ts']);
});

test('the modules of the transpiler do not show up in the program', (t) => {
  const project = new Project(t, {
    'main.ts': `import { basename } from 'node:path';
console.log(Object.keys(require.cache).map((file) => basename(file)).join());\n`,
  });
  project.watchedTranspiler();
  t.is(project.twice(t, 'main.ts'), 'main.ts\n');
});

test('tsx, jsx and cts files work, and import() in a CommonJS file', (t) => {
  const project = new Project(t, {
    'package.json': '{ "type": "commonjs" }',
    'tsconfig.json': '{ "compilerOptions": { "jsx": "react", "jsxFactory": "h" } }',
    'main.ts': `import { page } from './page';
import { part } from './part.jsx';
import { kind } from './kind.cjs';
console.log(page, part, kind);
import('node:path').then(({ sep }: { sep: string }) => console.log(sep));
`,
    'page.tsx': 'const h = (tag: string) => tag;\nexport const page: string = <a href="x">y</a> as never;\n',
    'part.jsx': 'const h = (tag) => tag;\nexport const part = <b/>;\n',
    'kind.cts': 'const kind: string = "cts"; export { kind };\n',
  });
  project.link('esbuild');
  t.is(project.twice(t, 'main.ts'), 'a b cts\n/\n');
});
