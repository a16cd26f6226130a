// Kills a process at each of its system calls in turn: before it, after it, and half-way through a write. The next process that
// opens the store must find everything that was acknowledged, and no half of a change.

import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CALLS, Control, environment, library } from '../faults/control.mjs';
import { breakPrograms } from '../faults/programs.mjs';
import { afterwards } from '../lib/afterwards.mjs';
import { partOf, progress, report, skipped } from '../lib/options.mjs';
import { Oracle } from '../lib/oracle.mjs';
import { random, shuffled } from '../lib/random.mjs';
import { SUBJECTS } from '../lib/subjects.mjs';

const TITLE = 'killed at every system call';
const STEPS = 24;
/** Calls that change something on disk. Killing at other calls would leave no other states. */
const CHANGING = CALLS.filter(
  (call) => !['fstat', 'lstat', 'read', 'statfs', 'opendir', 'mmap'].includes(call),
);
const ACTIONS = /** @type {const} */ (['kill before', 'kill after', 'half, kill']);
const VICTIM = fileURLToPath(new URL('victim.mjs', import.meta.url));

/** @typedef {{ name: string, plotted: number, from: number, action: (typeof ACTIONS)[number] | 'nothing' }} Kill */

/**
 * @param {string} dir
 * @param {{ seconds: number, seed: number, part: { of: number, parts: number } }} how
 */
export async function killAtCalls(dir, { seconds, seed, part }) {
  const built = library(dir);
  if ('missing' in built) return skipped(TITLE, built.missing);
  /** @type {string[]} */
  const wrong = [];
  /** @type {Kill[]} */
  const all = [];
  for (const { name } of SUBJECTS) {
    const { calls } = await run({ name, plotted: seed, from: 0, action: 'nothing' });
    for (let from = 1; from <= calls; from++)
      for (const action of ACTIONS) all.push({ name, plotted: seed, from, action });
  }
  const deadline = Date.now() + seconds * 1000;
  let tried = 0;
  const left = partOf(shuffled(all, random(seed)), part);
  const worker = async () => {
    for (let kill = left.pop(); kill && Date.now() < deadline; kill = left.pop()) {
      const { killed } = await run(kill);
      if (killed) tried++;
      progress(`${tried} of ${all.length} killed`);
    }
  };
  await Promise.all([worker(), worker()]);
  progress('');
  report(TITLE, `${tried} of ${all.length} kills survived`, wrong);

  /** @param {Kill} kill */
  async function run(kill) {
    const at = `${dir}/kill-${kill.name}-${kill.from}-${kill.action}`;
    mkdirSync(`${at}/files`, { recursive: true });
    const control = new Control(`${at}/control`);
    control.set({ calls: CHANGING, from: kill.from, times: 1, action: kill.action });
    const env = environment(/** @type {{ path: string }} */ (built).path, `${at}/files`, `${at}/control`);
    const args = [VICTIM, kill.name, String(kill.plotted), String(STEPS), `${at}/files`, `${at}/log`];
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'inherit'] });
    const [code, signal] = await new Promise((done) => child.on('close', (...how) => done(how)));
    const { calls } = control.told();
    control.close();
    if (code !== 0 && signal !== 'SIGKILL')
      wrong.push(`${JSON.stringify(kill)}: ended with ${signal ?? code}`);
    for (const it of judge(kill, at)) wrong.push(`${JSON.stringify(kill)}: ${it}`);
    rmSync(at, { recursive: true });
    return { calls, killed: signal === 'SIGKILL' };
  }
}

/**
 * The same for programs under warmshard/register, killed at calls about their cache.
 *
 * @param {string} dir
 * @param {{ seconds: number, seed: number, part: { of: number, parts: number } }} how
 */
export async function killPrograms(dir, how) {
  const built = library(dir);
  if ('missing' in built) return;
  const { tried, all, injected, wrong } = await breakPrograms(built.path, `${dir}/programs`, {
    ...how,
    kills: true,
  });
  report(
    'programs killed at a call about their cache',
    `${injected} kills in ${tried} of ${all} runs`,
    wrong,
  );
}

/**
 * What is wrong with what a victim left behind.
 *
 * @param {Kill} kill
 * @param {string} at
 * @returns {string[]}
 */
function judge(kill, at) {
  const subject = SUBJECTS.find((it) => it.name === kill.name);
  if (!subject) return ['no such store'];
  const oracle = new Oracle();
  /** @type {import('../lib/oracle.mjs').Change | undefined} */
  let open;
  for (const line of readFileSync(`${at}/log`, 'utf8').split('\n').filter(Boolean)) {
    const said = JSON.parse(line);
    if (said === 'done' && open) {
      if (subject.deferred) oracle.defer(open, true);
      else oracle.note(open, true);
      open = undefined;
    } else if (said === 'flushed') oracle.flushed();
    else if (said !== 'done') open = said;
  }
  if (open) oracle.note(open, false);
  const wrong = afterwards(subject, `${at}/files`, oracle);
  return [...wrong, ...leftovers(`${at}/files`)];
}

/** Temporary files that the next opening has not swept. @param {string} dir @returns {string[]} */
function leftovers(dir) {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.includes('.tmp.') && statSync(`${dir}/${name}`).isFile())
    .map((name) => `${name} was left behind`);
}
