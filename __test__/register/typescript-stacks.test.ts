// A stack trace named line 3 of a file, but that line was a comment: it was the line of the transpiled text.

import test from 'ava';
import { HOOKS, Project } from '../helpers/typed-program.js';

const THROWING = `interface Long {
  one: string;
  two: string;
}

export class Thrower {
  private readonly long: Long | undefined;
  raise(): never {
    throw new RangeError('here');
  }
}
`;

test('frames name lines of the source, cold and warm', (t) => {
  const project = new Project(t, {
    'main.ts': `import { Thrower } from './thrower';
type A = {
  b: string;
};
try {
  new Thrower().raise();
} catch (error) {
  console.log((error as Error).stack);
}
`,
    'thrower.ts': THROWING,
  });
  project.link('esbuild');
  const [head, raise, main, ...loader] = project.twice(t, 'main.ts').trimEnd().split('\n');
  t.is(head, 'RangeError: here');
  t.is(raise, `    at Thrower.raise (${project.path}/thrower.ts:9:11)`);
  t.is(main, `    at Object.<anonymous> (${project.path}/main.ts:6:17)`);
  t.true(loader.every((frame) => frame.includes('node:')));
});

test('a program can format stacks in its own way, and stop doing so', (t) => {
  const project = new Project(t, {
    'main.ts': `import { Thrower } from './thrower';
const stackOf = () => { try { return new Thrower().raise(); } catch (error) { return (error as Error).stack; } };
const before = Error.prepareStackTrace;
Error.prepareStackTrace = (_, sites) => sites.length > 0 && 'own';
console.log(stackOf());
Error.prepareStackTrace = before;
console.log(String(stackOf()).split('\\n')[1]);
`,
    'thrower.ts': THROWING,
  });
  project.link('esbuild');
  t.is(project.twice(t, 'main.ts'), `own\n    at Thrower.raise (${project.path}/thrower.ts:9:11)\n`);
});

test('an uncaught error is shown with the line of its source', (t) => {
  const project = new Project(t, {
    'main.ts': "import { Thrower } from './thrower';\nnew Thrower().raise();\n",
    'thrower.ts': THROWING,
  });
  project.link('esbuild');
  for (const { status, stderr } of [project.run('main.ts'), project.run('main.ts')]) {
    t.is(status, 1);
    const [place, line, mark] = stderr.split('\n');
    t.is(place, `${project.path}/thrower.ts:9`);
    t.is(line, "    throw new RangeError('here');");
    t.is(mark?.trim(), '^');
    t.true(stderr.includes(`    at Thrower.raise (${project.path}/thrower.ts:9:11)\n`));
  }
});

test('an error of Node.js keeps its code in the first line, and frames of JavaScript files stay as they are', (t) => {
  const project = new Project(t, {
    'main.ts': `import { readFileSync } from 'node:fs';
const { fail } = require('./plain.js');
interface A { b: 1 }

for (const run of [() => readFileSync(1.5), fail])
  try { run(); } catch (error) { console.log((error as Error).stack!.split('\\n').slice(0, 2).join()); }
`,
    'plain.js': 'exports.fail = () => {\n  null.x;\n};\n',
  });
  project.link('esbuild');
  const [first, second] = project.twice(t, 'main.ts').split('\n');
  t.regex(first ?? '', /^TypeError \[ERR_INVALID_ARG_TYPE\]: /);
  t.regex(second ?? '', /^TypeError: .*, {4}at .*\/plain\.js:2:8\)$/);
});

(HOOKS ? test : test.skip)('frames of ES modules name lines of the source, too', (t) => {
  const project = new Project(t, {
    'package.json': '{ "type": "module" }',
    'main.ts': `import { Thrower } from './thrower.js';
type A = {
  b: string;
};
try { new Thrower().raise(); } catch (error) { console.log((error as Error).stack!.split('\\n')[1]); }
`,
    'thrower.ts': THROWING,
  });
  project.link('esbuild');
  t.is(project.twice(t, 'main.ts'), `    at Thrower.raise (file://${project.path}/thrower.ts:9:11)\n`);
});
