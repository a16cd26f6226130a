// A team changed `tsconfig.json`, and half of its machines still ran what had been compiled before.

import test from 'ava';
import { Project } from '../helpers/typed-program.js';

const compilerOptions = (options: object) => JSON.stringify({ compilerOptions: options });
const JSX =
  'declare const h: any, g: any;\nconst [hh, gg] = [(t: string) => "h" + t, (t: string) => "g" + t];\n';

test('an edit of the nearest tsconfig.json takes effect', (t) => {
  const project = new Project(t, {
    'tsconfig.json': compilerOptions({ jsx: 'react', jsxFactory: 'hh' }),
    'main.tsx': `${JSX}console.log(<a/>);\n`,
  });
  project.link('esbuild');
  t.is(project.twice(t, 'main.tsx'), 'ha\n');
  project.write('tsconfig.json', compilerOptions({ jsx: 'react', jsxFactory: 'gg' }));
  t.is(project.twice(t, 'main.tsx'), 'ga\n');
});

test('an edit of a file that it extends takes effect, by a path or in a package', (t) => {
  const project = new Project(t, {
    'tsconfig.json': '{\n  // Ours.\n  "extends": ["base", "./shared/two"],\n}',
    'node_modules/base/tsconfig.json': compilerOptions({ jsx: 'react', jsxFactory: 'hh' }),
    'shared/two.json': '/* nothing */ {}',
    'main.tsx': `${JSX}console.log(<a/>);\n`,
  });
  project.link('esbuild');
  t.is(project.twice(t, 'main.tsx'), 'ha\n');
  project.write('node_modules/base/tsconfig.json', compilerOptions({ jsx: 'react', jsxFactory: 'gg' }));
  t.is(project.twice(t, 'main.tsx'), 'ga\n');
  project.write('shared/two.json', compilerOptions({ jsxFactory: 'hh' }));
  t.is(project.twice(t, 'main.tsx'), 'ha\n');
});

test('a new tsconfig.json that is nearer takes effect', (t) => {
  const project = new Project(t, {
    'tsconfig.json': compilerOptions({ jsx: 'react', jsxFactory: 'hh' }),
    'src/main.tsx': `${JSX}console.log(<a/>);\n`,
  });
  project.link('esbuild');
  t.is(project.twice(t, 'src/main.tsx'), 'ha\n');
  project.write('src/tsconfig.json', compilerOptions({ jsx: 'react', jsxFactory: 'gg' }));
  t.is(project.twice(t, 'src/main.tsx'), 'ga\n');
});

test('paths lead to files, and to others when they are edited', (t) => {
  const paths = (to: string) =>
    compilerOptions({ paths: { '@lib/*': [`./${to}/*`], exact: [`./${to}/one`] } });
  const project = new Project(t, {
    'tsconfig.json': paths('a'),
    'a/one.ts': 'export const one: string = "a";\n',
    'b/one.ts': 'export const one: string = "b";\n',
    'main.ts':
      "import { one } from '@lib/one';\nimport * as exact from 'exact';\nconsole.log(one, exact.one);\n",
  });
  project.link('esbuild');
  t.is(project.twice(t, 'main.ts'), 'a a\n');
  project.write('tsconfig.json', paths('b'));
  t.is(project.twice(t, 'main.ts'), 'b b\n');
});

test('with a baseUrl, names lead to its files, and other names to packages', (t) => {
  const project = new Project(t, {
    'tsconfig.json': compilerOptions({ baseUrl: './src' }),
    'src/lib/one.ts': 'export const one: number = 1;\n',
    'node_modules/two/index.js': 'exports.two = 2;\n',
    'src/main.ts': "import { one } from 'lib/one';\nimport { two } from 'two';\nconsole.log(one, two);\n",
  });
  project.link('esbuild');
  t.is(project.twice(t, 'src/main.ts'), '1 2\n');
  // Now the baseUrl contains this file.
  project.write('src/two.ts', 'export const two: number = 3;\n');
  t.is(project.twice(t, 'src/main.ts'), '1 3\n');
});

test('the target decides how fields are defined, and which syntax is kept', (t) => {
  const project = new Project(t, {
    'main.ts': `class A { set x(n: number) { console.log('set', n); } }
class B extends A { x = 1; }
new B();
console.log(String((a: any) => a?.b).includes('?.'));
`,
  });
  project.link('esbuild');
  project.write('tsconfig.json', compilerOptions({ target: 'ES2022' }));
  t.is(project.twice(t, 'main.ts'), 'true\n');
  project.write('tsconfig.json', compilerOptions({ target: 'ES2019' }));
  t.is(project.twice(t, 'main.ts'), 'set 1\nfalse\n');
  project.write('tsconfig.json', compilerOptions({ target: 'ES5' }));
  t.is(project.twice(t, 'main.ts'), 'set 1\ntrue\n');
});
