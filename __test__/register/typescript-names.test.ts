// A JavaScript program loaded a TypeScript file that it had not asked for, because `.ts` had been registered as an extension.

import test from 'ava';
import { Project } from '../helpers/typed-program.js';

test('requests of a TypeScript file are resolved as in TypeScript', (t) => {
  const project = new Project(t, {
    'main.ts': `import { one } from './one';
import { two } from './two.js';
import { three } from './folder';
import { four } from './four.mjs.js';
import data from './data.json';
console.log(one, two, three, four, (data as { five: number }).five);
`,
    'one.ts': 'export const one: number = 1;\n',
    'one.js': 'throw new Error("the compiled one");\n',
    'two.tsx': 'export const two: number = 2;\n',
    'folder/index.ts': 'export const three: number = 3;\n',
    'four.mjs.ts': 'export const four: number = 4;\n',
    'data.json': '{ "five": 5 }',
  });
  project.link('esbuild');
  t.is(project.twice(t, 'main.ts'), '1 2 3 4 5\n');
});

test('requests of a JavaScript file for the same names in the same folder are resolved as usual', (t) => {
  const project = new Project(t, {
    'main.ts': "import { one } from './one.ts';\nimport './second.js';\nconsole.log(one);\n",
    'second.js': `for (const request of ['./one', './only', './only.js'])
  try { console.log(request, require(request).one); } catch (error) { console.log(request, error.code); }
`,
    'one.ts': 'export const one: string = "ts";\n',
    'one.js': 'exports.one = "js";\n',
    'only.ts': 'export const one: string = "ts";\n',
  });
  project.link('esbuild');
  const said = './one js\n./only MODULE_NOT_FOUND\n./only.js MODULE_NOT_FOUND\n';
  t.is(project.twice(t, 'main.ts'), `${said}ts\n`);
  t.is(project.twice(t, 'second.js'), said);
  t.is(project.run('second.js', { plain: true }).stdout, said);
});

test('a new file that is tried earlier is found', (t) => {
  const project = new Project(t, {
    'main.ts': "import { one } from './one';\nconsole.log(one);\n",
    'one/index.ts': 'export const one: string = "folder";\n',
  });
  project.link('esbuild');
  t.is(project.twice(t, 'main.ts'), 'folder\n');
  project.write('one.js', 'exports.one = "js";\n');
  t.is(project.twice(t, 'main.ts'), 'js\n');
  project.write('one.ts', 'export const one: string = "ts";\n');
  t.is(project.twice(t, 'main.ts'), 'ts\n');
});
