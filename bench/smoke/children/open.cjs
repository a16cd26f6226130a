// A fresh process: requires a store, opens it, gets one key, and tells what each step cost.
//
//   node open.cjs warmshard|lmdb PATH KEY

const { readFileSync } = require('node:fs');

const [, , peer, path = '', key = ''] = process.argv;

/** Kilobytes of this process, by kind. */
function memory() {
  const text = readFileSync('/proc/self/smaps_rollup', 'latin1');
  /** @param {string} name */
  const field = (name) => Number(new RegExp(`^${name}: +(\\d+)`, 'm').exec(text)?.[1]);
  // Private_Dirty would count pages of the file, too, while the system has not yet written them back.
  return { rss: field('Rss'), anonymous: field('Anonymous') };
}

/** @template T @param {() => T} run @returns {[number, T]} microseconds, and what it gave */
function timed(run) {
  const started = process.hrtime.bigint();
  const value = run();
  return [Number(process.hrtime.bigint() - started) / 1000, value];
}

function viaWarmshard() {
  const [required, { Shard }] = timed(() => require('warmshard'));
  // Once to warm up: what it needs itself must not count.
  memory();
  const before = memory();
  const [opened, value] = timed(() => Shard.open(path).get(key));
  return { required, opened, value, before, after: memory() };
}

function viaLmdb() {
  const [required, { open }] = timed(() => require('lmdb'));
  memory();
  const before = memory();
  const [opened, value] = timed(() => open({ path, encoding: 'binary', noSync: true }).getBinaryFast(key));
  return { required, opened, value, before, after: memory() };
}

const { value, ...costs } = peer === 'lmdb' ? viaLmdb() : viaWarmshard();
process.stdout.write(JSON.stringify({ ...costs, bytes: value?.length ?? 0 }));
