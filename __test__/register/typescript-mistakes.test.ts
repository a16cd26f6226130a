// After a typing mistake the error showed the stack of the transpiler, but not the line with the mistake.

import test from 'ava';
import { Project } from '../helpers/typed-program.js';

test('the error for a source that the transpiler refuses says where the mistake is', (t) => {
  const project = new Project(t, {
    'main.ts': "import './wrong';\n",
    'wrong.ts': 'const fine: number = 1;\nconst wrong: = 2;\n',
  });
  project.link('esbuild');
  for (const { status, stderr } of [project.run('main.ts'), project.run('main.ts')]) {
    t.is(status, 1);
    t.true(
      stderr.includes(`SyntaxError: Unexpected "="\n${project.path}/wrong.ts:2:14\nconst wrong: = 2;\n`),
      stderr,
    );
    t.true(stderr.includes(`at Object.<anonymous> (${project.path}/wrong.ts:2:14)`), stderr);
  }
});

test('a program can catch the error, and the file can be corrected', (t) => {
  const project = new Project(t, {
    'main.ts':
      "try { require('./wrong'); console.log('fine'); } catch (error) { console.log((error as Error).name); }\n",
    'wrong.ts': 'const wrong: = 2;\n',
  });
  project.link('esbuild');
  t.is(project.twice(t, 'main.ts'), 'SyntaxError\n');
  project.write('wrong.ts', 'const wrong:n= 2;\n');
  t.is(project.twice(t, 'main.ts'), 'fine\n');
});
