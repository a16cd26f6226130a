// Many processes on one shard (writers, readers, one that compacts, one that flushes), each killed at a random moment and
// started again. The parent keeps track of what was acknowledged, and checks after each kill that it is found.

import { spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Shard } from 'warmshard';
import { progress, report } from '../lib/options.mjs';
import { Oracle } from '../lib/oracle.mjs';
import { FOR_EVER } from '../lib/patience.mjs';
import { random } from '../lib/random.mjs';
import { tagOf } from '../lib/values.mjs';

const ROLES = ['writer', 'writer', 'writer', 'batcher', 'reader', 'reader', 'compactor', 'flusher'];
const WORKER = fileURLToPath(new URL('worker.mjs', import.meta.url));
/** `maxBytes` of the shard. Its live entries need much less. */
const MAX_BYTES = 16 << 20;
/**
 * Bound of the file's size. A change waits for a compaction once the file has twice `maxBytes`; each process may have one change
 * under way, and a compaction may be killed.
 */
const MOST_BYTES = 3 * MAX_BYTES;

/**
 * @param {string} dir
 * @param {{ seconds: number, seed: number }} how
 */
export async function storm(dir, { seconds, seed }) {
  const path = `${dir}/storm.shard`;
  const next = random(seed);
  const deadline = Date.now() + seconds * 1000;
  /** @type {string[]} */
  const wrong = [];
  let kills = 0;
  let acknowledged = 0;
  let looked = 0;
  let largest = 0;
  /** One oracle for each process: no other process writes its keys. */
  const oracles = ROLES.map(() => new Oracle());
  const tags = ROLES.map(() => 1);

  /** @param {number} n */
  const live = async (n) => {
    while (Date.now() < deadline && wrong.length === 0) {
      const oracle = /** @type {Oracle} */ (oracles[n]);
      const args = [
        WORKER,
        /** @type {string} */ (ROLES[n]),
        String(n),
        path,
        String(tags[n]),
        String(next(1 << 30)),
        String(MAX_BYTES),
      ];
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
      /** @type {import('../lib/oracle.mjs').Change | undefined} */
      let open;
      let rest = '';
      let stderr = '';
      child.stderr.on('data', (chunk) => (stderr += chunk));
      /** @type {NodeJS.Timeout | undefined} */
      let timer;
      child.stdout.on('data', (chunk) => {
        timer ??= setTimeout(() => child.kill('SIGKILL'), next(400));
        const lines = (rest + chunk).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) {
          const said = JSON.parse(line);
          if (said === 'done' && open) {
            oracle.note(open, true);
            open = undefined;
            acknowledged++;
          } else if (typeof said === 'number') looked += said;
          else if (typeof said === 'object') {
            open = said;
            tags[n] = said.tag + 1;
          }
        }
      });
      const [code, signal] = await new Promise((done) => child.on('close', (...how) => done(how)));
      clearTimeout(timer);
      if (signal === 'SIGKILL') kills++;
      else wrong.push(`${ROLES[n]} ended with ${signal ?? code}: ${stderr}`);
      if (open) oracle.note(open, false);
      look(n, 'after a kill');
      progress(`${kills} kills, ${acknowledged} changes acknowledged`);
    }
  };

  /** Judges the keys of one process. @param {number} n @param {string} when */
  const look = (n, when) => {
    const shard = Shard.open(path, { lockTimeout: FOR_EVER });
    const found = oracles[n]?.judge((key) => {
      const value = shard.get(key);
      return value === undefined ? undefined : tagOf(key, value);
    });
    for (const it of found ?? []) wrong.push(`${when} of ${ROLES[n]} ${n}: ${it}`);
    largest = Math.max(largest, statSync(path, { throwIfNoEntry: false })?.size ?? 0);
    shard.close();
  };

  await Promise.all(ROLES.map((_, n) => live(n)));
  for (const n of ROLES.keys()) look(n, 'in the end');
  const shard = Shard.open(path, { lockTimeout: FOR_EVER });
  const verified = shard.verify();
  if (!verified.ok) wrong.push(JSON.stringify(verified));
  shard.close();
  if (largest > MOST_BYTES) wrong.push(`the file grew to ${largest} bytes`);
  progress('');
  report(
    'killed at random moments',
    `${kills} kills of ${ROLES.length} processes, ${acknowledged} changes and ${looked} look-ups, largest file ${(largest / 2 ** 20).toFixed(1)} MiB`,
    wrong,
  );
}
