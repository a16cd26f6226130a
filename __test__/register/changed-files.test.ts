// A package was replaced, a file edited or a folder created, and the program still ran what had been there before.

import {
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import test from 'ava';
import { type Files, Program, type SameOptions } from '../helpers/program.js';

interface Story {
  files: Files;
  /** Made one after the other. After each change the program must run twice as it does without warmshard. */
  changes: ((p: Program) => unknown)[];
  options?: SameOptions;
}

const write = (files: Files) => (p: Program) => void p.write(files);
const remove = (name: string) => (p: Program) => rmSync(p.at(name), { recursive: true, force: true });

const instead = (name: string, files: Files) => (p: Program) => {
  remove(name)(p);
  p.write(files);
};

/** Writes other content of the same length, and keeps the file's times. */
const rewriteUnseen = (name: string, text: string) => (p: Program) => {
  const { atime, mtime } = statSync(p.at(name));
  writeFileSync(p.at(name), text);
  utimesSync(p.at(name), atime, mtime);
};

const link = (to: string, name: string) => (p: Program) => {
  rmSync(p.at(name), { recursive: true, force: true });
  symlinkSync(to, p.at(name));
};

/** A program that prints what each request resolves to and what the module exports. */
const ask = (...requests: string[]) =>
  `for (const r of ${JSON.stringify(requests)}) try { console.log(r, require(r), require.resolve(r)) } catch (e) { console.log(r, e.code, e.message) }`;

const stories: Record<string, Story> = {
  'a source edited to the same length': {
    files: { 'app.js': ask('./a'), 'a.js': 'module.exports = 1' },
    changes: [
      write({ 'a.js': 'module.exports = 2' }),
      rewriteUnseen('a.js', 'module.exports = 3'),
      rewriteUnseen('app.js', ask('./b')),
    ],
  },
  'a source edited, and back': {
    files: { 'app.js': ask('./a'), 'a.js': 'module.exports = "one"' },
    changes: [
      write({ 'a.js': 'module.exports = "another"' }),
      write({ 'a.js': 'module.exports = "one"' }),
      write({ 'a.js': 'module.exports = ' }),
      write({ 'a.js': 'export default 1' }),
      write({ 'a.js': 'module.exports = "one"' }),
    ],
  },
  'a file deleted and created': {
    files: { 'app.js': ask('./a', './b'), 'a.js': 'module.exports = 1' },
    changes: [
      remove('a.js'),
      write({ 'b.js': 'module.exports = 2' }),
      write({ 'a.js': 'module.exports = 3' }),
    ],
  },
  'a new file with an extension that is tried earlier': {
    files: { 'app.js': ask('./a', './f'), 'a.json': '"json"', 'f/index.js': 'module.exports = "folder"' },
    changes: [
      write({ 'a.js': 'module.exports = "js"' }),
      write({ a: 'module.exports = "none"' }),
      write({ 'f.js': 'module.exports = "beside"' }),
      (p) => ['a', 'a.js', 'f.js'].map((name) => unlinkSync(p.at(name))),
    ],
  },
  'a file that becomes a folder, and back': {
    files: { 'app.js': ask('./a', './a.js'), 'a.js': 'module.exports = "file"' },
    changes: [
      instead('a.js', { 'a.js/index.js': 'module.exports = "folder"' }),
      instead('a.js', { 'a.js': 'module.exports = "file"' }),
    ],
  },
  'a package whose main changes': {
    files: {
      'app.js': ask('pkg'),
      'node_modules/pkg/package.json': '{"main":"a.js"}',
      'node_modules/pkg/a.js': 'module.exports = "a"',
      'node_modules/pkg/b.js': 'module.exports = "b"',
      'node_modules/pkg/index.js': 'module.exports = "index"',
    },
    changes: [
      rewriteUnseen('node_modules/pkg/package.json', '{"main":"b.js"}'),
      write({ 'node_modules/pkg/package.json': '{}' }),
      write({ 'node_modules/pkg/package.json': '{"exports":"./a.js"}' }),
      write({ 'node_modules/pkg/package.json': '{"main":' }),
      remove('node_modules/pkg/package.json'),
      remove('node_modules/pkg'),
    ],
  },
  'a package whose exports change': {
    files: {
      'app.js': ask('pkg', 'pkg/sub', 'pkg/lib/b.js'),
      'node_modules/pkg/package.json': '{"exports":{".":"./lib/a.js","./sub":"./lib/b.js"}}',
      'node_modules/pkg/lib/a.js': 'module.exports = "a"',
      'node_modules/pkg/lib/b.js': 'module.exports = "b"',
    },
    changes: [
      write({ 'node_modules/pkg/package.json': '{"exports":{".":"./lib/b.js","./sub":"./lib/a.js"}}' }),
      write({ 'node_modules/pkg/package.json': '{"exports":{".":"./lib/a.js"}}' }),
      write({ 'node_modules/pkg/package.json': '{"exports":{".":"./lib/gone.js","./*":"./*"}}' }),
      write({ 'node_modules/pkg/package.json': '{"main":"lib/a"}' }),
    ],
  },
  'a package whose type changes': {
    files: { 'app.js': ask('./m/x.js'), 'm/x.js': 'module.exports = typeof require', 'm/package.json': '{}' },
    changes: [
      write({ 'm/package.json': '{"type":"module"}' }),
      write({ 'm/package.json': '{"type":"commonjs"}' }),
      remove('m/package.json'),
      write({ 'package.json': '{"type":"module"}', 'm/package.json': '{"type":"commonjs"}' }),
      remove('package.json'),
    ],
  },
  'a new node_modules that is nearer': {
    files: {
      'app.js': 'require("./deep/er/x")',
      'deep/er/x.js': ask('pkg'),
      'node_modules/pkg/index.js': 'module.exports = "far"',
    },
    changes: [
      write({ 'deep/node_modules/pkg/index.js': 'module.exports = "near"' }),
      write({ 'deep/er/node_modules/pkg.js': 'module.exports = "nearest"' }),
      remove('deep/er/node_modules'),
      remove('deep/node_modules'),
    ],
  },
  'node_modules replaced as a whole': {
    files: { 'app.js': ask('pkg', 'other'), 'node_modules/pkg/index.js': 'module.exports = "one"' },
    changes: [
      (p) => {
        p.write({
          'new/pkg/index.js': 'module.exports = "two"',
          'new/other/index.js': 'module.exports = "too"',
        });
        renameSync(p.at('node_modules'), p.at('old'));
        renameSync(p.at('new'), p.at('node_modules'));
      },
      (p) => {
        renameSync(p.at('node_modules'), p.at('new'));
        renameSync(p.at('old'), p.at('node_modules'));
      },
      (p) => rmSync(p.at('node_modules'), { recursive: true }),
    ],
  },
  'a package that is linked, and linked elsewhere': {
    files: {
      'app.js': ask('pkg', 'pkg/deep/x'),
      'one/index.js': 'module.exports = ["one", __filename]',
      'one/deep/x.js': 'module.exports = require("dep")',
      'one/node_modules/dep/index.js': 'module.exports = "dep of one"',
      'two/index.js': 'module.exports = ["two", __filename]',
      'two/deep/x.js': 'module.exports = require("dep")',
      'two/node_modules/dep/index.js': 'module.exports = "dep of two"',
      'node_modules/.keep': '',
    },
    changes: [
      link('../one', 'node_modules/pkg'),
      link('../two', 'node_modules/pkg'),
      link('../gone', 'node_modules/pkg'),
      instead('node_modules/pkg', { 'node_modules/pkg/index.js': 'module.exports = "own"' }),
      link('../one', 'node_modules/pkg'),
    ],
  },
  'a store of hard links, like that of pnpm': {
    files: { 'app.js': ask('pkg'), 'store/same.js': 'module.exports = [__filename, require("dep")]' },
    changes: ['1', '2', '1'].map((version) => (p: Program) => {
      const home = `node_modules/.pnpm/pkg@${version}/node_modules`;
      if (!statSync(p.at(home), { throwIfNoEntry: false })) {
        p.write({ [`${home}/dep/index.js`]: `module.exports = "dep of ${version}"` });
        mkdirSync(p.at(home, 'pkg'));
        linkSync(p.at('store/same.js'), p.at(home, 'pkg/index.js'));
      }
      link(`.pnpm/pkg@${version}/node_modules/pkg`, 'node_modules/pkg')(p);
    }),
  },
  'a program started through a link, as in .bin': {
    files: {
      'bin/tool.js': `#!/usr/bin/env node\nconsole.log(__filename, require.main.filename, require("./x"))`,
      'bin/x.js': 'module.exports = 1',
      'other.js': 'console.log("other")',
    },
    changes: [link('bin/tool.js', 'tool'), link('other.js', 'tool')],
    options: { main: 'tool', hits: [] },
  },
  'files that were touched': {
    files: {
      'app.js': ask('./a', 'pkg'),
      'a.js': 'module.exports = 1',
      'node_modules/pkg/index.js': '',
      'node_modules/pkg/package.json': '{}',
    },
    changes: ['app.js', 'a.js', 'node_modules/pkg/index.js', 'node_modules/pkg/package.json'].map(
      (name) => (p: Program) => utimesSync(p.at(name), 1e9, 1e9),
    ),
    options: { hits: ['app.js', 'a.js', 'node_modules/pkg/index.js'] },
  },
  'imports and self-references that change': {
    files: {
      'app.js': ask('#x', 'self', 'self/a'),
      'package.json': '{"name":"self","imports":{"#x":"./a.js"},"exports":{".":"./a.js","./a":"./a.js"}}',
      'a.js': 'module.exports = "a"',
      'b.js': 'module.exports = "b"',
    },
    changes: [
      write({ 'package.json': '{"name":"self","imports":{"#x":"./b.js"},"exports":{".":"./b.js"}}' }),
      write({
        'package.json': '{"name":"else"}',
        'node_modules/self/index.js': 'module.exports = "package"',
      }),
      write({ 'package.json': '{"name":"self","exports":{".":"./b.js"}}' }),
    ],
  },
  'files that cannot be read': {
    files: { 'app.js': ask('./a', './d/b'), 'd/b.js': 'module.exports = 1', 'a.js': 'module.exports = 2' },
    changes: [link('a.js', 'a.js'), link('d', 'd'), remove('d')],
  },
};

for (const [what, { files, changes, options }] of Object.entries(stories))
  test(what, async (t) => {
    const program = new Program(t, files);
    const early = { ...options, hits: [] };
    if (options?.main === undefined) {
      const expected = await program.plain(early);
      for (const when of ['cold', 'warm']) await program.one(when, expected, early);
    }
    for (const [i, change] of changes.entries()) {
      change(program);
      const expected = await program.plain(early);
      await program.one(`after change ${i}`, expected, early);
      const lines = await program.one(`after change ${i}, warm`, expected, { ...early, debug: true });
      for (const file of options?.hits ?? [])
        t.true(lines.includes(`hit ${program.at(file)}`), `${file} after change ${i}`);
    }
  });

const conditional = {
  'app.js': ask('pkg'),
  'node_modules/pkg/package.json': '{"exports":{"own":"./own.js","default":"./default.js"}}',
  'node_modules/pkg/own.js': 'module.exports = "own"',
  'node_modules/pkg/default.js': 'module.exports = "default"',
};

test('files that were touched are read once more, and recorded with their new times', async (t) => {
  const names = ['app.js', 'node_modules/pkg/index.js', 'node_modules/pkg/package.json'];
  const program = new Program(t, {
    'app.js': `console.log(require('pkg'))`,
    'node_modules/pkg/index.js': 'module.exports = 1',
    'node_modules/pkg/package.json': '{}',
  });
  const settled = () => new Promise((done) => setTimeout(done, 50));
  const wrote = async () =>
    (await program.run({ debug: true })).lines.filter(
      (line) => line.startsWith('wrote') || line.startsWith('miss'),
    );
  await settled();
  await wrote();
  t.deepEqual(await wrote(), []);
  for (const name of names) {
    utimesSync(program.at(name), 1e9, 1e9);
    await settled();
    t.regex((await wrote()).join(), /^wrote [1-9]/, name);
    t.deepEqual(await wrote(), [], name);
  }
});

test('conditions on the command line and in NODE_OPTIONS change what a package exports', async (t) => {
  const program = new Program(t, conditional);
  const env = { NODE_OPTIONS: '--conditions=own' };
  for (const options of [
    {},
    { node: ['--conditions=own'] },
    { node: ['-C', 'own'] },
    { node: ['--conditions', 'none'] },
    { node: ['--conditions', 'own'] },
    { env },
    {},
  ]) {
    const expected = await program.plain(options);
    for (const when of ['first', 'second']) await program.one(when, expected, options);
  }
});

test('a changed NODE_PATH leads to other packages', async (t) => {
  const program = new Program(t, {
    'app.js': ask('pkg'),
    'x/pkg.js': 'module.exports = "x"',
    'y/pkg.js': 'module.exports = "y"',
  });
  for (const NODE_PATH of ['x', 'y', '', 'y:x', undefined]) {
    const options = { env: { NODE_PATH } };
    const expected = await program.plain(options);
    for (const when of ['first', 'second']) await program.one(`${NODE_PATH} ${when}`, expected, options);
  }
});

test('a relative NODE_PATH means another folder in another working folder', async (t) => {
  const program = new Program(t, {
    'app.js': ask('pkg'),
    '1/x/pkg.js': 'module.exports = 1',
    '2/x/pkg.js': 'module.exports = 2',
  });
  for (const cwd of ['1', '2', '1']) {
    const options = { env: { NODE_PATH: './x' }, cwd: program.at(cwd) };
    const expected = await program.plain(options);
    for (const when of ['first', 'second']) await program.one(`${cwd} ${when}`, expected, options);
  }
});

test('links can be preserved', async (t) => {
  const program = new Program(t, {
    'app.js': ask('pkg'),
    'one/index.js': 'module.exports = __filename',
    'node_modules/.keep': '',
  });
  link('../one', 'node_modules/pkg')(program);
  for (const options of [{ node: ['--preserve-symlinks'] }, {}, { env: { NODE_PRESERVE_SYMLINKS: '1' } }]) {
    const expected = await program.plain(options);
    for (const when of ['first', 'second']) await program.one(when, expected, options);
  }
});

test('a file with an extension that a hook has added is not found without the hook', async (t) => {
  const program = new Program(t, {
    'app.js': ask('./x'),
    'x.own': 'module.exports = "own"',
    'hook.js': `require.extensions['.own'] = require.extensions['.js']`,
  });
  for (const options of [{ node: ['-r', './hook.js'] }, {}, { node: ['-r', './hook.js'] }]) {
    const expected = await program.plain(options);
    for (const when of ['first', 'second']) await program.one(when, expected, options);
  }
});

test('a program can be moved to another folder', async (t) => {
  const program = new Program(t, {
    'here/app.js': `${ask('pkg', './a')} console.log(__filename)`,
    'here/a.js': '',
    'here/node_modules/pkg/index.js': '',
  });
  await program.same({ main: 'here/app.js' });
  renameSync(program.at('here'), program.at('there'));
  await program.same({ main: 'there/app.js' });
});
