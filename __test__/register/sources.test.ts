// A file with a byte order mark, other line endings or invalid UTF-8 behaved differently once it was warm.

import test from 'ava';
import { type Files, type SameOptions, same } from '../helpers/program.js';

const bytes = (...parts: (string | number[])[]) =>
  Buffer.concat(parts.map((part) => Buffer.from(part as string)));
const mark = [0xef, 0xbb, 0xbf];
const fail = `console.log(module.id, new Error('x').stack.split('\\n')[1]); throw new Error('here')`;

const programs: Record<string, Files | [Files, SameOptions]> = {
  'a hash bang': { 'app.js': `#!/usr/bin/env node\n${fail}` },
  'a hash bang and nothing else': { 'app.js': '#!/usr/bin/env node' },
  'a hash bang with a carriage return': { 'app.js': `#!/usr/bin/env node\r\n${fail}` },
  'a byte order mark': { 'app.js': bytes(mark, fail) },
  'a byte order mark and a hash bang': [
    { 'app.js': bytes(mark, `#!/usr/bin/env node\n${fail}`) },
    { hits: [] },
  ],
  'JSON with a byte order mark': {
    'app.js': `console.log(require('./a.json'))`,
    'a.json': bytes(mark, '{"a":1}'),
  },
  'Windows line endings': {
    'app.js': `let a = 1;\r\nlet b = \`x\r\ny\`;\r\nconsole.log(JSON.stringify(b), String(() => {\r\n}));\r\n${fail}`,
  },
  'invalid UTF-8': {
    'app.js': bytes(
      'const s = "',
      [0xff, 0x61, 0xe2, 0x98, 0xf0, 0x9f, 0x98, 0xc3, 0xed, 0xa0, 0x80, 0xc0, 0x80, 0xf5],
      `"; console.log(escape(s), s.length);\n${fail}`,
    ),
  },
  'Latin-1 letters': {
    'app.js': `const ä = 'é', f = function grüß() { return 'ÿ' }; console.log(ä, String(f), f.name, ä.length);\n${fail}`,
  },
  'letters of other scripts': {
    'app.js': `const s = '☃ 𝒳 日本', f = () => '𝒳'; console.log(s, s.length, String(f), [...s].length);\n${fail}`,
  },
  'UTF-16': [
    {
      'app.js': `try { require('./wide') } catch (e) { console.log(e.name, e.message) }`,
      'wide.js': Buffer.from('\ufeffconsole.log(1)', 'utf16le'),
    },
    {},
  ],
  'an empty file': { 'app.js': `console.log(require('./empty'))`, 'empty.js': '' },
  'only a comment, without an end of line': { 'app.js': '// nothing' },
  'a comment that is not closed': {
    'app.js': `try { require('./a') } catch (e) { console.log(e.name) }`,
    'a.js': '/* never',
  },
  'a return at the top': { 'app.js': `console.log(1); if (true) return; console.log(2)` },
  'code that closes the wrapper': {
    'app.js': `try { require('./a') } catch (e) { console.log(e.name) } try { require('./b') } catch (e) { console.log(e.name) }`,
    'a.js': `}); console.log('out'); (function () {`,
    'b.js': `}) + (function () {`,
  },
  'await at the top': {
    'app.js': `try { require('./a') } catch (e) { console.log(e.name, e.code) }`,
    'a.js': 'await null; console.log("awaited")',
  },
  'await as a name': { 'app.js': 'var await = 1; console.log(await)' },
  'names of the wrapper declared again': {
    'app.js': `try { require('./a') } catch (e) { console.log(e.name) } require('./b')`,
    'a.js': 'const require = 1; const exports = 2',
    'b.js': 'var module = 1, require = 2; console.log(module, require)',
  },
  'HTML comments, octals, with': { 'app.js': `<!-- x\nwith ({ a: 010 }) console.log(a)\n--> y` },
  'a file without extension': {
    'app.js': `require('./bin/tool')`,
    'bin/tool': `#!/bin/sh\nconsole.log(__filename); ${fail}`,
  },
  'the program without extension': [{ tool: `#!/usr/bin/env node\n${fail}` }, { main: 'tool' }],
  'an unknown extension': {
    'app.js': `require('./x.weird'); require('./y.test.js'); require('./.hidden')`,
    'x.weird': 'console.log(__filename)',
    'y.test.js': 'console.log(__filename)',
    '.hidden': 'console.log(__filename)',
  },
  'strange names': {
    'app.js': `for (const f of ['./a b', './a%20b', './a#b', './a?b', './a\\nb', "./a'b", './ä', './é\u0301', './𝒳']) require(f)`,
    'a b.js': 'console.log(__filename)',
    'a%20b.js': 'console.log(__filename)',
    'a#b.js': 'console.log(__filename)',
    'a?b.js': 'console.log(__filename)',
    'a\nb.js': 'console.log(__filename)',
    "a'b.js": 'console.log(__filename)',
    'ä.js': 'console.log(__filename)',
    'é\u0301.js': 'console.log(__filename)',
    '𝒳.js': 'console.log(__filename)',
  },
  'a large file': {
    'app.js': `const big = require('./big'); console.log(big.length, big[77777](), String(big[99999]))`,
    'big.js': `module.exports = [${Array.from({ length: 100_000 }, (_, i) => `function f${i}() { return ${i} }`).join(',\n')}]`,
  },
  'a source map comment': {
    'app.js': `${fail}\n//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozfQ==`,
  },
  'a source URL comment': {
    'app.js': `require('./a')`,
    'a.js': `console.log(new Error('x').stack.split('\\n')[1])\n//# sourceURL=elsewhere.js`,
  },
  'asm.js that V8 warns about': [
    {
      'app.js': `require('./a')`,
      'a.js': `function m() { 'use asm'; function f(x) { x = x | 0; return x + 1 } return { f: f } } console.log(m().f(1))`,
    },
    { hits: ['app.js'], tidy: (text) => text.replace(/\(node:\d+\)/g, '') },
  ],
  'the word for asm.js': {
    'app.js': `require('./a')`,
    'a.js': `const words = ['x', \n'use asm',\n"use asm"]; console.log(words, words.includes('use asm'))`,
  },
  'asm.js, and code that V8 compiles late': {
    'app.js': `console.log(require('./a')(globalThis).f(1)); const lazy = () => { function inner() { return [1, 2].map((x) => x * 2) } return inner() }; console.log(lazy())`,
    'a.js': `module.exports = function m(stdlib) { 'use asm'; function f(x) { x = x | 0; return (x + 1) | 0 } return { f: f } }`,
  },
  'a debugger statement': { 'app.js': 'debugger; console.log(1)' },
  'generators, classes, templates, labels': {
    'app.js': `class A { #p = 1; static s = new this().#p; *g() { yield* [1, 2] } async *h() { yield 3 } get x() { return this.#p } } const tag = (s, ...v) => s.raw.join('|') + v; console.log([...new A().g()], A.s, tag\`a\${1}\\n\`, tag\`a\${1}\\n\` === tag\`b\`); out: for (;;) { for (;;) break out } (async () => { for await (const x of new A().h()) console.log(x) })()`,
  },
  'template objects belong to their place in the source': {
    'app.js': `const id = (s) => s; const f = () => id\`x\`; console.log(f() === f(), id\`x\` === id\`x\`)`,
  },
};

for (const [what, program] of Object.entries(programs))
  test(what, async (t) => {
    const [files, options] = Array.isArray(program) ? program : [program, {}];
    await same(t, files, options);
  });
