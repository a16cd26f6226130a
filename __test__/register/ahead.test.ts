// A thread that prepares bytecode held up the end of a program, outlived V8, or served what was not there any more.

import { existsSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'ava';
import { type Files, Program, type RunOptions } from '../helpers/program.js';

const COUNT = 60;
const { modules } = process.versions;
const triple = `linux-${process.arch}`;
const folder = join(dirname(require.resolve('warmshard')), '..');
const isThere = ['gnu', 'musl'].some((c) =>
  existsSync(join(folder, `warmshard-fast.${triple}-${c}.${modules}.node`)),
);

/** Modules with functions that run, and an application that does something else after `STOP` of them. */
function files(): Files {
  const functions = (i: number) =>
    Array.from(
      { length: 40 },
      (_, k) => `function f${k}(a) { return { a, text: 'of ${i}', more: [a, ${k}] }.text; }`,
    );
  const calls = Array.from({ length: 40 }, (_, k) => `f${k}(1)`).join(', ');
  return {
    'app.js': `const stop = Number(process.env.STOP ?? ${COUNT}); let all = '';
for (let i = 0; i < ${COUNT}; i++) {
  if (i === stop) { eval(process.env.DO); }
  all += require('./m' + i);
}
console.log(all.length, new Error('here').stack);`,
    ...Object.fromEntries(
      Array.from({ length: COUNT }, (_, i) => [
        `m${i}.js`,
        `${functions(i).join('\n')}\nmodule.exports = [${calls}].at(-1) + __filename.length + f1.toString().length;`,
      ]),
    ),
  };
}

const ends: Record<string, string> = {
  'goes on to its end': '0',
  exits: 'process.exit(3)',
  'ends without the loader noticing': 'process.reallyExit(4)',
  throws: `throw new Error('on its way')`,
  'is ended by a signal': `process.kill(process.pid, 'SIGTERM'); for (;;);`,
  'collects garbage': `for (let k = 0; k < 30; k++) globalThis['j' + k] = Array.from({ length: 1e5 }, (_, n) => ({ n }))`,
  'sets flags of V8': `require('v8').setFlagsFromString('--no-opt')`,
  'starts a worker': `new (require('worker_threads').Worker)("require('./m3.js')", { eval: true })`,
};

if (isThere)
  for (const [what, code] of Object.entries(ends))
    test(`a program that ${what} while its modules are prepared`, async (t) => {
      const program = new Program(t, files());
      const options = (stop: number): RunOptions => ({ env: { STOP: String(stop), DO: code } });
      await program.run(options(COUNT));
      for (const stop of [0, 1, 20, COUNT - 1]) {
        const expected = await program.plain(options(stop));
        const lines = await program.one(`${stop} modules`, expected, { ...options(stop), debug: true });
        t.true(
          lines.some((line) => /^ahead 60: |^ahead 61: /.test(line)),
          lines.join('\n'),
        );
      }
    });

if (isThere)
  test('what was changed since it was prepared is not what is run', async (t) => {
    const program = new Program(t, files());
    const env = {
      STOP: '2',
      DO: `const fs = require('fs'), name = __dirname + '/m50.js', { atime, mtime } = fs.statSync(name);
fs.writeFileSync(name, fs.readFileSync(name, 'utf8').replaceAll('of 50', 'or 50')); fs.utimesSync(name, atime, mtime);
console.log(require(name))`,
    };
    const reset = () => program.write(files());
    const expected = await program.plain({ env, before: reset });
    t.regex(expected.stdout, /^or 50/);
    for (const when of ['cold', 'warm', 'warm again'])
      await program.one(when, expected, { env, before: reset });
    writeFileSync(program.at('m40.js'), 'module.exports = "other"');
    utimesSync(program.at('m41.js'), 1, 1);
    await program.one('edited', await program.plain());
  });

if (isThere)
  test('it can be switched off, and small programs have no thread', async (t) => {
    const program = new Program(t, files());
    await program.run();
    const told = async (options: RunOptions) =>
      (await program.run({ ...options, debug: true })).lines.filter((line) => line.startsWith('ahead'));
    t.is((await told({})).length, 1);
    t.deepEqual(await told({ env: { WARMSHARD_AHEAD: '0' } }), []);
    program.write({ 'few.js': `require('./m1')` });
    await program.run({ main: 'few.js' });
    t.deepEqual(await told({ main: 'few.js' }), []);
  });
