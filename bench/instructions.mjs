// Counts the instructions that the core needs for a hit, a miss and a put, and compares them with a committed budget.
// Unlike a time, a count is not disturbed by other programs on the machine.
//
//   npm run bench:instructions              fails if a count is more than the tolerance above or below its budget
//   npm run bench:instructions -- --write   writes the counts into the budget

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const BUDGET = new URL('instructions.json', import.meta.url);
const BINARY = join(ROOT, 'target/release/warmshard-instructions');

/**
 * Each operation is counted with few and with many turns; the difference leaves out the set-up. The larger number is
 * high so that variation between runs hardly matters.
 *
 * @type {Record<string, [few: number, many: number]>}
 */
const TURNS = { hit: [1000, 201_000], miss: [1000, 201_000], put: [1000, 11_000] };
/** Counts are the mean over this many shards: each has its own hash seed, and therefore its own collisions. */
const SHARDS = 3;
/** Share by which a count may differ from its budget. */
const TOLERANCE = 0.03;
/** The same with another compiler than the budget's, which generates other code: only large changes are reported. */
const OTHER_COMPILER = 0.15;

/**
 * @typedef {{ compiler: string, instructions: Record<string, number> }} Budget
 */

/** @param {string} text */
function skip(text) {
  console.log(`instructions: skipped, ${text}`);
  process.exit(0);
}

/** @param {string} what @param {number} turns @param {string} folder */
function count(what, turns, folder) {
  const args = ['--tool=callgrind', '--callgrind-out-file=/dev/null', BINARY, what, `${turns}`];
  const { status, stderr } = spawnSync('valgrind', args, {
    encoding: 'utf8',
    // Without this the C library chooses its memcpy by the processor, and counts differ between machines.
    env: {
      ...process.env,
      COUNTED_FOLDER: folder,
      GLIBC_TUNABLES: 'glibc.cpu.hwcaps=-AVX2,-AVX512F,-AVX512VL,-ERMS',
    },
  });
  const collected = Number(/Collected : (\d+)/.exec(stderr)?.[1]);
  if (status !== 0 || Number.isNaN(collected)) throw new Error(`valgrind: ${stderr.trim().slice(-1000)}`);
  return collected;
}

function counts() {
  /** @type {Record<string, number>} */
  const sums = {};
  for (let shard = 0; shard < SHARDS; shard++) {
    const folder = mkdtempSync(join(tmpdir(), 'warmshard-instructions-'));
    try {
      for (const [what, [few, many]] of Object.entries(TURNS)) {
        const each = (count(what, many, folder) - count(what, few, folder)) / (many - few);
        sums[what] = (sums[what] ?? 0) + each;
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  return Object.fromEntries(Object.entries(sums).map(([what, sum]) => [what, Math.round(sum / SHARDS)]));
}

if (process.platform !== 'linux' || process.arch !== 'x64') skip('the budget is for x64 on Linux');
if (spawnSync('valgrind', ['--version']).status !== 0) skip('valgrind is not installed');
execFileSync('cargo', ['build', '--release', '--quiet', '-p', 'warmshard-instructions'], {
  cwd: ROOT,
  stdio: 'inherit',
});
const compiler = execFileSync('rustc', ['--version'], { encoding: 'utf8', cwd: ROOT }).split(' ')[1] ?? '';
const instructions = counts();

if (process.argv.includes('--write')) {
  writeFileSync(BUDGET, `${JSON.stringify({ compiler, instructions }, null, 2)}\n`);
  console.log('instructions: budget written', instructions);
  process.exit(0);
}

/** @type {Budget} */
const budget = JSON.parse(readFileSync(BUDGET, 'utf8'));
const tolerance = compiler === budget.compiler ? TOLERANCE : OTHER_COMPILER;
if (compiler !== budget.compiler)
  console.log(
    `instructions: rustc ${compiler}, budget made with ${budget.compiler}: ${tolerance * 100} % difference allowed`,
  );
for (const [what, counted] of Object.entries(instructions)) {
  const wanted = budget.instructions[what] ?? 0;
  const share = counted / wanted - 1;
  const fits = Math.abs(share) <= tolerance;
  const change = `${share >= 0 ? '+' : ''}${(share * 100).toFixed(1)} %`;
  console.log(`instructions: ${fits ? '✔' : '✘'} a ${what} takes ${counted}, budget ${wanted} (${change})`);
  if (fits) continue;
  process.exitCode = 1;
  console.log(
    share > 0
      ? '  More than allowed. Find out why before raising the budget with `npm run bench:instructions -- --write`.'
      : '  An improvement: keep it with `npm run bench:instructions -- --write`.',
  );
}
