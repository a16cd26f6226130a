// A container without the binary started cold for a year, because the only hint was the line "no native binary".

import test from 'ava';
import { Program, register, same } from '../helpers/program.js';

const PROGRAM = `
const { Shard } = require(${JSON.stringify(require.resolve('warmshard'))});
const { status } = require(${JSON.stringify(register)});
let told;
try { Shard.open('a.shard'); } catch (error) { told = error; }
console.log(told.code, status().enabled, status().reason === told.message);
console.log(told.message);`;

test('without a binary a program runs as usual, and the reason is as detailed as that of Shard.open', async (t) => {
  const program = new Program(t, { 'app.js': PROGRAM });
  const env = { WARMSHARD_NATIVE_PATH: program.at('nothing.node') };
  const quiet = await program.run({ env });
  t.is(quiet.code, 0, quiet.stderr);
  t.is(quiet.stderr, '');
  const [told, ...message] = quiet.stdout.split('\n');
  t.is(told, 'ERR_NATIVE_LOAD false true', quiet.stdout);
  t.regex(message.join('\n'), /nothing\.node: [\s\S]*WARMSHARD_NATIVE_PATH names what cannot be loaded/);
  const asked = await program.run({ env: { ...env, WARMSHARD_DEBUG: '1' } });
  const lines = asked.stderr.trim().split('\n');
  t.true(lines.every((line) => line.startsWith('warmshard: ')));
  const said = lines.map((line) => line.slice('warmshard: '.length)).join('\n');
  t.true(said.includes(message.join('\n').trim()), said);
});

test('stack traces are the same if the addon may not be loaded', async (t) => {
  const files = {
    'app.js': `console.log(new Error('before').stack); require('./a'); throw new Error('end')`,
    'a.js': `console.log(new Error('a').stack)`,
  };
  await same(t, files, { node: ['--no-addons'], aside: true });
});

test('stack traces are the same if no descriptor is free when the first file is required', async (t) => {
  const app = `const fs = require('fs'), all = [];
try { for (;;) all.push(fs.openSync('/dev/null')); } catch {}
try { require('./a'); } catch {}
console.log(new Error('none left').stack);
for (const fd of all) fs.closeSync(fd);
require('./a');`;
  const program = new Program(t, { 'app.js': app, 'a.js': `console.log(new Error('a').stack)` });
  const expected = await program.plain();
  for (const what of ['first', 'second']) await program.one(what, expected, { small: true });
});
