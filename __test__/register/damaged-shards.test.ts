// A disk failed, and instead of compiling its modules again, a program crashed while it started.

import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { Shard } from 'warmshard';
import { random } from '../helpers/bytes.js';
import { Program } from '../helpers/program.js';

const files = {
  'app.js': `console.log(require('./a'), require('pkg').f(3), require('./ü'))`,
  'a.js': `module.exports = [${'1, '.repeat(600)}].length`,
  'ü.js': `module.exports = 'ünïcödé ☃'.repeat(3)`,
  'node_modules/pkg/package.json': '{"main":"lib"}',
  'node_modules/pkg/lib/index.js': `exports.f = (n) => { const inner = () => n * 2; return inner() }`,
};

async function warmed(t: ExecutionContext) {
  const program = new Program(t, files);
  const expected = await program.same();
  const { lines, ...ended } = expected;
  return { program, expected: ended, bytes: readFileSync(program.shard) };
}

test('a program runs with a shard that is cut off anywhere', async (t) => {
  const { program, expected, bytes } = await warmed(t);
  for (let i = 0; i <= 12; i++) {
    writeFileSync(program.shard, bytes);
    truncateSync(program.shard, Math.floor((bytes.length * i) / 13));
    await program.one(`cut to ${i} of 13`, expected);
  }
});

test('a program runs with a shard in which bits are flipped anywhere', async (t) => {
  const { program, expected, bytes } = await warmed(t);
  const below = random(7);
  for (let round = 0; round < 30; round++) {
    const damaged = Buffer.from(bytes);
    // Most of the file follows its header. One flip in each stretch is enough to hit every kind of structure.
    for (let at = below(400); at < damaged.length; at += 200 + below(1500))
      damaged[at] = (damaged[at] ?? 0) ^ (1 << below(8));
    writeFileSync(program.shard, damaged);
    await program.one(`round ${round}`, expected);
  }
});

test('a program runs with a shard file of noise, zeros or text', async (t) => {
  const { program, expected, bytes } = await warmed(t);
  const below = random(9);
  for (const content of [
    Buffer.alloc(bytes.length),
    Buffer.from(bytes.map(() => below(256))),
    Buffer.from('not a shard'),
    Buffer.alloc(0),
    Buffer.concat([bytes.subarray(0, 4096), Buffer.alloc(bytes.length)]),
  ]) {
    writeFileSync(program.shard, content);
    for (const when of ['first', 'second']) await program.one(when, expected);
  }
});

test('a program runs with a shard of another kind', async (t) => {
  const { program, expected } = await warmed(t);
  rmSync(dirname(program.shard), { recursive: true });
  mkdirSync(dirname(program.shard), { mode: 0o700 });
  const other = Shard.open(program.shard, { host: { name: 'other', version: '1', binary: false } });
  other.put('key', new Uint8Array([1, 2, 3]));
  other.close();
  for (const when of ['first', 'second']) await program.one(when, expected);
});

test('a shard that others may write to, or that is a link, is not used', async (t) => {
  const { program, expected } = await warmed(t);
  chmodSync(program.shard, 0o666);
  const lines = await program.one('writable by others', expected, { debug: true });
  t.true(
    lines.some((line) => line.startsWith('off ')),
    lines.join('\n'),
  );
  chmodSync(program.shard, 0o600);
  copyFileSync(program.shard, program.at('elsewhere'));
  rmSync(program.shard);
  symlinkSync(program.at('elsewhere'), program.shard);
  await program.one('a link', expected);
});

test('a program runs with a read-only shard in a read-only folder', async (t) => {
  const { program, expected } = await warmed(t);
  chmodSync(program.shard, 0o400);
  chmodSync(program.home, 0o500);
  await program.one('read-only', expected);
  program.write({ 'a.js': 'module.exports = "new"' });
  await program.one('read-only, and something new', await program.plain());
  chmodSync(program.home, 0o700);
});

test('a program runs on if its shard is deleted', async (t) => {
  const program = new Program(t, {
    ...files,
    'app.js': `console.log(require('./a')); require('fs').rmSync(process.env.WARMSHARD_HOME, { recursive: true, force: true }); console.log(require('pkg').f(1), require('./ü'))`,
  });
  const expected = await program.plain();
  for (const when of ['first', 'second', 'third']) await program.one(when, expected);
});

test('a program runs if the disk of its shard is full', async (t) => {
  const program = new Program(t, files);
  const small = program.at('small');
  mkdirSync(small);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16k,mode=700', 'tmpfs', small], { stdio: 'ignore' });
  } catch {
    t.log('skipped: mounting is not permitted here');
    t.pass();
    return;
  }
  try {
    const expected = await program.plain();
    for (const when of ['first', 'second', 'third'])
      await program.one(when, expected, { env: { WARMSHARD_HOME: small } });
    t.true(existsSync(small));
  } finally {
    execFileSync('umount', ['-l', small]);
  }
});
