// Runs the tests again with every look-up through the fast door, if it is open on this machine.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Shard } from 'warmshard';

process.env.WARMSHARD_FAST = 'eager';
const dir = mkdtempSync(join(tmpdir(), 'warmshard-door-'));
const shard = Shard.open(join(dir, 'shard'));
shard.get('a');
const { door, doorShut } = shard.stats();
shard.close();
rmSync(dir, { recursive: true });
if (door === 'node-api') {
  console.log(`skipped: the fast door is shut here: ${doorShut}`);
} else {
  const ava = fileURLToPath(new URL('../node_modules/ava/entrypoints/cli.mjs', import.meta.url));
  const { status } = spawnSync(process.execPath, [ava, ...process.argv.slice(2)], { stdio: 'inherit' });
  process.exitCode = status ?? 1;
}
