// Runs all proofs in their short form: `npm run prove`, or `npm run prove -- --seconds=N` for N seconds each.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { options } from './lib/options.mjs';

const { seconds, seed } = options(30);
const failed = ['faults', 'kills', 'fuzz', 'leaks', 'load', 'blocking'].filter((row) => {
  const script = fileURLToPath(new URL(`${row}/main.mjs`, import.meta.url));
  return (
    spawnSync(process.execPath, [script, `--seconds=${seconds}`, `--seed=${seed}`], { stdio: 'inherit' })
      .status !== 0
  );
});
if (failed.length > 0) {
  console.error(`failed: ${failed.join(', ')}`);
  process.exitCode = 1;
}
