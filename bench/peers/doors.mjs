// Tells whether this Node.js can use warmshard's fast door, a second binary beside the addon. If it can, the suite
// measures warmshard with it, and with WARMSHARD_FAST=0 without it.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PROGRAM = `const { Shard } = require('warmshard');
const shard = Shard.open(require('node:path').join(process.argv[1], 'probe.shard'));
shard.get('key');
console.log(shard.stats().door);
shard.close();`;

/** @type {boolean | undefined} */
let found;

/** Finds out by opening a shard in another process, with the fast door loaded at once. */
export function fastDoor() {
  if (found === undefined) {
    const known = process.env.BENCH_FAST_DOOR;
    found = known === undefined ? probe() : known === '1';
    // Saves the child processes from probing again.
    process.env.BENCH_FAST_DOOR = found ? '1' : '0';
  }
  return found;
}

function probe() {
  if (process.env.WARMSHARD_FAST === '0') return false;
  const folder = mkdtempSync(join(tmpdir(), 'warmshard-doors-'));
  const cwd = fileURLToPath(new URL('../..', import.meta.url));
  const env = { ...process.env, WARMSHARD_FAST: 'eager' };
  const { stdout } = spawnSync(process.execPath, ['-e', PROGRAM, folder], { cwd, encoding: 'utf8', env });
  rmSync(folder, { recursive: true, force: true });
  return stdout.trim() === 'fast';
}
