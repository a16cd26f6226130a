// A container without the binary started cold for a year: the line that said so was "no native binary".

import test from 'ava';
import { Program, register } from '../helpers/program.js';

const PROGRAM = `
const { Shard } = require(${JSON.stringify(require.resolve('warmshard'))});
const { status } = require(${JSON.stringify(register)});
let told;
try { Shard.open('a.shard'); } catch (error) { told = error; }
console.log(told.code, status().enabled, status().reason === told.message);
console.log(told.message);`;

test('without a binary a program runs as ever, and is told as much as by any other part of the package', async (t) => {
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
