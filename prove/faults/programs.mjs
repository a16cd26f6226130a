// Programs under warmshard/register that fail or are killed at the n-th call about the cache's files: unless it is killed, the
// program must do what it does without the cache, and so must the next two runs.

import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { constants } from 'node:os';
import { partOf } from '../lib/options.mjs';
import { differs, Program } from '../lib/program.mjs';
import { random, shuffled } from '../lib/random.mjs';
import { CALLS, Control, environment } from './control.mjs';

const { EIO, ENOSPC, EACCES, EMFILE } = constants.errno;
/** @typedef {import('./control.mjs').Fault & { warm: boolean }} Case */

/** @type {readonly Pick<Case, 'action' | 'errno' | 'times'>[]} */
const FAILING = [
  ...[EIO, ENOSPC, EACCES, EMFILE].flatMap((errno) =>
    [1, 0].map((times) => ({ action: /** @type {const} */ ('fail'), errno, times })),
  ),
  { action: 'half, fail', errno: ENOSPC, times: 1 },
  { action: 'short', times: 0 },
];
/** @type {readonly Pick<Case, 'action' | 'times'>[]} */
const KILLING = [
  { action: 'kill before', times: 1 },
  { action: 'kill after', times: 1 },
  { action: 'half, kill', times: 1 },
];

/**
 * @param {string} lib the preloaded library
 * @param {string} dir
 * @param {{ seconds: number, seed: number, part: { of: number, parts: number }, kills?: boolean }} how
 * @returns {Promise<{ tried: number, all: number, injected: number, wrong: string[] }>}
 */
export async function breakPrograms(lib, dir, { seconds, seed, part, kills = false }) {
  const program = new Program(`${dir}/program`);
  const plain = await program.warm(`${dir}/sound`);
  /** @type {string[]} */
  const wrong = [];
  /** @type {Case[]} */
  const all = [];
  for (const warm of [false, true]) {
    const { calls } = await run({ calls: CALLS, from: 0, times: 1, action: 'nothing', warm });
    for (let from = 1; from <= calls; from++)
      for (const how of kills ? KILLING : FAILING) all.push({ calls: CALLS, from, warm, ...how });
  }
  const deadline = Date.now() + seconds * 1000;
  let tried = 0;
  let injected = 0;
  for (const it of partOf(shuffled(all, random(seed)), part)) {
    if (Date.now() > deadline) break;
    tried++;
    injected += (await run(it)).fired;
  }
  return { tried, all: all.length, injected, wrong };

  /** @param {Case} it */
  async function run({ warm, ...fault }) {
    const at = `${dir}/broken`;
    rmSync(at, { recursive: true, force: true });
    if (warm) cpSync(`${dir}/sound`, `${at}/home`, { recursive: true });
    else mkdirSync(`${at}/home`, { recursive: true, mode: 0o700 });
    const control = new Control(`${at}/control`);
    control.set(fault);
    const ran = await program.run(`${at}/home`, environment(lib, `${at}/home`, `${at}/control`));
    const told = control.told();
    control.close();
    const killed = ran.how === 'SIGKILL' && fault.action.includes('kill');
    const complaints = killed ? [] : differs(plain, ran);
    for (let time = 2; time <= 3; time++)
      for (const wrong of differs(plain, await program.run(`${at}/home`)))
        complaints.push(`run ${time}: ${wrong}`);
    for (const complaint of complaints)
      wrong.push(`${JSON.stringify({ warm, ...fault, calls: told.last })}: ${complaint}`);
    return told;
  }
}
