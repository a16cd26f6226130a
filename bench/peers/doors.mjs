// Whether warmshard has a second, faster binary beside its addon that this Node.js takes. WARMSHARD_FAST=0 turns it
// off; the suite then measures both ways.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PROGRAM = `const { Shard } = require('warmshard');
const path = require('node:path').join(process.argv[1], 'probe.shard');
const shard = Shard.open(path);
shard.get('key');
shard.close();
const maps = require('node:fs').readFileSync('/proc/self/maps', 'latin1').split('\\n');
console.log(new Set(maps.flatMap((line) => /\\/\\S*warmshard\\S*\\.node$/.exec(line) ?? [])).size);`;

/** @type {boolean | undefined} */
let found;

/** Told by what is mapped into a process that used a shard. */
export function fastDoor() {
  if (found === undefined) {
    const known = process.env.BENCH_FAST_DOOR;
    found = known === undefined ? probe() : known === '1';
    // For the processes that this one starts.
    process.env.BENCH_FAST_DOOR = found ? '1' : '0';
  }
  return found;
}

function probe() {
  if (process.env.WARMSHARD_FAST === '0') return false;
  const folder = mkdtempSync(join(tmpdir(), 'warmshard-doors-'));
  const cwd = fileURLToPath(new URL('../..', import.meta.url));
  const { stdout } = spawnSync(process.execPath, ['-e', PROGRAM, folder], { cwd, encoding: 'utf8' });
  rmSync(folder, { recursive: true, force: true });
  return Number(stdout) > 1;
}
