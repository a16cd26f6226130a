// The stack trace of a template engine named the wrong line for the call of the template: the line after it.

import test from 'ava';
import { type Files, major, type SameOptions, same } from '../helpers/program.js';

/** Prints the stack traces of code that is compiled from strings in various ways. */
const SAYS = `
let n = 0;
const stack = () => 'new Error("here").stack // ' + n++ + __filename;
const told = (text) => console.log(text.split('\\n').slice(0, 4).join('\\n'));
told(eval(stack()));
(() => {
  told((0, eval)(stack())); told(globalThis.eval(stack()));
  told(new Function('return ' + stack())());
})();
const Made = Function;
told(new Made('return ' + stack())());
told(told.constructor('return ' + stack())());
told([eval][0](stack()));
let late =
  eval
told(late(stack()));
console.log(String(told), module.exports === exports, __filename.endsWith('.js'), this === exports);
`;

/** Different first lines of a module; some of them print line numbers, too. */
const FIRST = [
  '',
  '// what it is',
  '/**\n * what it is\n */',
  '/* what it is */ ',
  `'use strict';`,
  '"use strict"\r',
  '#!/usr/bin/env node',
  `console.log(eval('new Error("first").stack').split('\\n')[1]); const x = 1`,
  '/* it says */ console.log(1)',
  '// what it is\rconsole.log(2);',
  `#!/usr/bin/env node\nconsole.log(eval('new Error("second").stack').split('\\n')[1]);`,
];

test('stack traces are the same whatever the first line of a module is', async (t) => {
  const files: Files = {};
  // Enough modules that their bytecode is deserialised ahead, if this Node.js can do that.
  const beginnings = [...FIRST, ...FIRST, ...FIRST];
  for (const [i, first] of beginnings.entries()) files[`lib${i}.js`] = `${first}\n${SAYS}`;
  const hits = Object.keys(files);
  files['app.js'] = beginnings.map((_, i) => `console.log(${i}); require('./lib${i}');`).join('\n');
  const { stdout } = await same(t, files, major < 22 ? { hits: ['app.js'] } : { hits });
  t.true(stdout.includes('lib0.js:6:6'), stdout);
});

const programs: Record<string, { files: Files; code?: number; options?: SameOptions }> = {
  'an uncaught error far below the first line': {
    files: {
      'app.js': `'use strict';\n\nconst make = eval;\nmake('(f) => f()')(() => {\n  throw new Error('deep');\n});`,
    },
    code: 1,
  },
  'an uncaught error in the first line': {
    files: { 'app.js': `const make = eval; throw new Error('first');` },
    code: 1,
  },
  'an uncaught error in code compiled from a string': {
    files: { 'app.js': `// made\n// of\neval('null.x');` },
    code: 1,
  },
  'a module that looks at its own function': {
    files: {
      'app.js': `// it\nconst make = eval;\nconsole.log(String(arguments.callee), arguments.callee.name, Object.keys(arguments.callee));`,
    },
  },
  'an import() in a module, and in code compiled from a string': {
    files: {
      'app.js': `import('./a.mjs').then((a) => { console.log(a.default); return eval("import('./a.mjs')"); }).then((a) => console.log(a.default));`,
      'a.mjs': 'export default 5;',
    },
    options: { ...(major < 22 && { aside: true }) },
  },
  'breakpoints that the program sets': {
    files: {
      'app.js': `const { Session } = require('node:inspector');
const session = new Session();
session.connect();
session.post('Debugger.enable');
for (const name of ['lined', 'in-line', 'bare']) {
  require('./' + name);
  const url = 'file://' + __dirname + '/' + name + '.js';
  for (const lineNumber of [0, 1, 2, 3])
    session.post('Debugger.setBreakpointByUrl', { lineNumber, url }, (error, found) =>
      console.log(name, lineNumber, error, found?.locations.map(({ lineNumber: line, columnNumber }) => [line, columnNumber])));
}`,
      'lined.js': 'exports.a = () => {\n  return 1;\n};\nexports.b = 2;\n',
      'in-line.js': '// It\nexports.a = () => {\n  return eval("1");\n};\nexports.b = 2;\n',
      'bare.js': 'exports.a = () => {\n  return eval("1");\n};\nexports.b = 2;\n',
    },
  },
  'braces that end the wrapper': {
    files: { 'app.js': `require('./b');`, 'b.js': `eval('1') }); (function () {` },
    code: 1,
    options: { hits: ['app.js'] },
  },
};

for (const [name, { files, code = 0, options = {} }] of Object.entries(programs))
  test(name, async (t) => {
    // On Node.js 20, modules that contain `eval(` are left to Node.js.
    const ended = await same(t, files, major < 22 ? { ...options, hits: [] } : options);
    t.is(ended.code, code, ended.stderr);
  });
