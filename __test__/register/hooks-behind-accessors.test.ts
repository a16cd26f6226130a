// nyc replaces the handler of `.js` by an accessor, and reads and sets the old handler through it; half of a project was missing
// in its coverage report. Another hook was mistaken for Node.js' own handler, because of its text.

import test from 'ava';
import { type Files, major, Program, register, same } from '../helpers/program.js';

/** The way of append-transform, which nyc uses for its hook. */
const appending = `const extensions = require('module')._extensions;
module.exports = (change) => {
  const described = Object.getOwnPropertyDescriptor(extensions, '.js');
  const get = () => described.get ? described.get() : described.value;
  const set = (value) => described.set ? (described.set(value), get()) : (described.value = value);
  const wrap = (hook) => function (module, filename) {
    if (!module.changed) {
      module.changed = true;
      const compile = module._compile;
      module._compile = function (code, filename) { module._compile = compile; module._compile(change(code), filename) };
    }
    hook(module, filename);
  };
  set(wrap(get()));
  const hooks = [get()];
  Object.defineProperty(extensions, '.js', { configurable: true, enumerable: true, get, set: (hook) => {
    const known = hooks.indexOf(hook);
    if (known < 0) hooks.push(set(wrap(hook)));
    else { hooks.splice(known + 1, hooks.length); set(hook) }
  } });
};`;

const files: Files = {
  'append.js': appending,
  'hook.js': `require('./append')((code) => code.replace('before', 'after'))`,
  'plain.js': `const { readFileSync } = require('fs'); require.extensions['.js'] = (module, filename) => module._compile(readFileSync(filename, 'utf8').replace('before', 'after'), filename)`,
  'app.js': `console.log(require('./a'), require('./b')); const { _extensions: e } = require('module'); const old = e['.js']; e['.js'] = (m, f) => { console.log('mine'); old(m, f) }; console.log(require('./c')); e['.js'] = old; console.log(require('./d'))`,
  'a.js': `module.exports = 'before' + require('./e')`,
  'b.js': `module.exports = 'before'`,
  'c.js': `module.exports = 'before'`,
  'd.js': `module.exports = 'before'`,
  'e.js': `module.exports = 'before'`,
};

for (const hook of ['hook.js', 'plain.js'])
  for (const [place, node] of [
    ['preloaded before warmshard', ['-r', `./${hook}`, '-r', register]],
    ['preloaded after warmshard', ['-r', register, '-r', `./${hook}`]],
  ] as const)
    test(`${hook} ${place}`, async (t) => {
      const program = new Program(t, files);
      // Fills the shard, so that something could be served.
      for (const run of ['cold', 'warm']) t.is((await program.run({})).stdout.includes('after'), false, run);
      const plain = await program.run({ register: false, node: ['-r', `./${hook}`] });
      t.true(plain.stdout.startsWith('afterafter after\n'));
      for (const run of ['first', 'second']) {
        const { stdout, stderr } = await program.run({ register: false, node: [...node] });
        t.deepEqual([stdout, stderr], [plain.stdout, plain.stderr], run);
      }
    });

test('a hook that the program itself sets', async (t) => {
  const app = `require('./hook'); ${files['app.js']}`;
  const { stdout } = await same(t, { ...files, 'app.js': app });
  t.true(stdout.startsWith('afterafter after\n'));
});

const hooked = major >= 22 ? test : test.skip;

hooked('another package transpiles TypeScript, like tsx', async (t) => {
  const program = new Program(t, {
    'package.json': '{ "type": "module" }',
    'hook.cjs': `const Module = require('module'); const fs = require('fs');
const source = (file) => fs.readFileSync(file, 'utf8').replace(': Told', '').replace('before', 'after');
Module._extensions['.ts'] = (module, file) => module._compile(source(file), file);
Module.registerHooks?.({ load: (url, context, next) => {
  const loaded = next(url, context);
  if (!url.endsWith('.ts')) return loaded;
  const text = String(loaded.source);
  console.log(text.includes(': Told'));
  return { format: 'module', source: text.replace(': Told', '').replace('before', 'after'), shortCircuit: true };
} })`,
    'app.ts': `import { told } from './told.ts'; console.log(told, import.meta.url.slice(-6))`,
    'told.ts': `export const told: Told = 'before'`,
  });
  const main = 'app.ts';
  const plain = await program.run({ main, register: false, node: ['-r', './hook.cjs'] });
  for (const run of ['cold', 'warm', 'warm again']) {
    const { stdout, stderr } = await program.run({
      main,
      register: false,
      node: ['-r', register, '-r', './hook.cjs'],
    });
    t.deepEqual([stdout, stderr], [plain.stdout, plain.stderr], run);
  }
});
