// Half of the time of a warm start was spent compiling the package that makes starts warm.

import { appendFileSync, copyFileSync, cpSync, existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { Program, type RunOptions, register } from '../helpers/program.js';

/** Prints at exit which of our bundles were loaded with bytecode (true), and which V8 has compiled (false). */
const LOOK = `const vm = require('vm'); const { Script } = vm; const seen = {};
const see = (file, known) => { const name = file?.split('register-')[1]; if (name) seen[name] = known; };
vm.Script = class extends Script { constructor(text, options) { super(text, options);
  see(options?.filename, options?.cachedData ? !this.cachedDataRejected : false); } };
const { dlopen } = process;
process.dlopen = (module, file) => { dlopen(module, file);
  const { offerCompiler } = module.exports;
  if (offerCompiler) module.exports.offerCompiler = (target, ...rest) => {
    const why = offerCompiler(target, ...rest); const { compile } = target;
    target.compile = (text, file, code, line) => { const made = compile(text, file, code, line);
      see(file, code > 0 && typeof made === 'function'); return made; };
    return why; }; };
process.on('exit', () => console.log(JSON.stringify({ ...seen, ...globalThis.more })));`;

const files = { 'app.js': `${LOOK}\nrequire('./a')`, 'a.js': '' };
const life: RunOptions = { small: true };

/** Makes a program, and a copy of the package that tests may change. */
function made(t: ExecutionContext) {
  const program = new Program(t, files);
  const dist = program.at('package', 'dist');
  cpSync(dirname(register), dist, { recursive: true });
  const built = join(dirname(register), '..');
  for (const name of readdirSync(built).filter((name) => name.endsWith('.node')))
    copyFileSync(join(built, name), program.at('package', name));
  const options = { ...life, register: false, node: ['-r', join(dist, 'register.cjs')] };
  const seen = async (more: RunOptions = {}) => {
    const { stdout, stderr } = await program.run({ ...options, ...more });
    t.is(stderr, '');
    return JSON.parse(stdout) as Record<string, boolean>;
  };
  return { program, dist, seen };
}

test('bundles of the package are compiled once', async (t) => {
  const { seen } = made(t);
  const cold = await seen();
  t.deepEqual(cold, { 'rest.cjs': false, 'recording.cjs': false });
  t.deepEqual(await seen(), { 'rest.cjs': true });
  // Another command records, and the bundle that records is loaded with its bytecode.
  t.deepEqual(await seen({ args: ['other'] }), { 'rest.cjs': true, 'recording.cjs': true });
});

test('a bundle that has changed is compiled in its new version', async (t) => {
  const { dist, seen } = made(t);
  await seen();
  appendFileSync(join(dist, 'register-rest.cjs'), '\nglobalThis.more = { changed: true };');
  t.deepEqual(await seen(), { 'rest.cjs': false, 'recording.cjs': true, changed: true });
  t.deepEqual(await seen(), { 'rest.cjs': true, changed: true });
});

test('only the shard that the program names is opened', async (t) => {
  const { program, seen } = made(t);
  const own = program.at('own.shard');
  const asks = `require(${JSON.stringify(program.at('package/dist/register.cjs'))}).enable({ path: ${JSON.stringify(own)} });`;
  program.write({ 'app.js': `${LOOK}\n${asks} require('./a')` });
  const node: string[] = [];
  t.deepEqual(await seen({ node }), { 'recording.cjs': false });
  t.deepEqual(await seen({ node }), {});
  t.true(existsSync(own));
  t.false(existsSync(program.home));
});
