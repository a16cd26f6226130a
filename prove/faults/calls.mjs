// A disk that fails: for every kind of system call about a store's files and for every n, the n-th call fails, once or from
// then on. No error may be untyped, and nothing that was acknowledged may be lost.
//
// `WARMSHARD_ONLY='shard 1: {"calls":...}'` repeats one run, copied from a complaint, and prints its steps.
//
// Runs in a child process with faults.c preloaded, so that the faults do not reach the parent. One child serves all runs, so
// that a crash, a hang or leaked descriptors show.

import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { WarmshardError } from 'warmshard';
import { afterwards } from '../lib/afterwards.mjs';
import { partOf } from '../lib/options.mjs';
import { Oracle } from '../lib/oracle.mjs';
import { random, shuffled } from '../lib/random.mjs';
import { plan } from '../lib/scenario.mjs';
import { SUBJECTS } from '../lib/subjects.mjs';
import { Control } from './control.mjs';

const { EIO, ENOSPC, EINTR, EMFILE, ENOMEM, EACCES, EDQUOT, ENOLCK } = constants.errno;

/** @typedef {import('./control.mjs').Call} Call */

/** The errors that each kind of call can return. @type {readonly [Call, number[]][]} */
const ERRNOS = [
  ['open', [EIO, EMFILE, EACCES, ENOSPC]],
  ['fstat', [EIO]],
  ['lstat', [EIO, EACCES]],
  ['flock', [EINTR, ENOLCK]],
  ['sync', [EIO, ENOSPC]],
  ['truncate', [EIO, EINTR]],
  ['allocate', [ENOSPC, EIO]],
  ['read', [EIO, EINTR]],
  ['write', [EIO, ENOSPC, EINTR, EDQUOT]],
  ['rename', [EIO, ENOSPC]],
  ['unlink', [EIO, EACCES]],
  ['mkdir', [ENOSPC]],
  ['opendir', [EMFILE]],
  ['mmap', [ENOMEM]],
  ['statfs', [EIO]],
];
/** Calls that are repeated when they are interrupted (EINTR): the caller must not notice. */
const HARMLESS = new Set(['flock', 'truncate', 'read', 'write']);
const TYPED = new Set(['ERR_IO', 'ERR_NO_SPACE', 'ERR_LOCK_TIMEOUT']);
const STEPS = 24;

const [dir, controlPath, seconds, seed, part] = /** @type {[string, string, string, string, string]} */ (
  process.argv.slice(2)
);
const [of, parts] = /** @type {[number, number]} */ (part.split('/').map(Number));
const control = new Control(controlPath);
/** @type {string[]} */
const wrong = [];
let runs = 0;

const only = process.env.WARMSHARD_ONLY?.match(/^(.*) (\d+): (\{.*\})/);

/** The number of open descriptors. */
const descriptors = () => readdirSync('/proc/self/fd').length;

/**
 * @param {import('../lib/subjects.mjs').Subject} subject
 * @param {number} plotted the plan's seed
 * @param {import('./control.mjs').Fault} [fault]
 * @returns {{ calls: number, fired: number }}
 */
function run(subject, plotted, fault) {
  const at = `${dir}/${runs++}`;
  mkdirSync(at);
  const told = fault ? `${subject.name} ${plotted}: ${JSON.stringify(fault)}` : subject.name;
  writeFileSync(`${controlPath}.now`, told);
  /** @param {string} what */
  const complain = (what) => void (complaints++ === 0 && wrong.push(`${told}: ${what}`));
  let complaints = 0;
  const oracle = new Oracle();
  const quiet = fault?.action === 'short' || (fault?.errno === EINTR && HARMLESS.has(fault.calls[0] ?? ''));
  /** @param {unknown} error @param {string} doing */
  const judge = (error, doing) => {
    if (only) console.error(`  ${error}`);
    if (!(error instanceof WarmshardError) || !TYPED.has(error.code)) complain(`${doing} threw ${error}`);
    else if (quiet) complain(`${doing} threw instead of trying again: ${error.message}`);
  };
  /** @type {any} */
  let store;
  const open = () => {
    try {
      store = subject.open(at);
    } catch (error) {
      store = undefined;
      judge(error, 'open');
    }
  };
  control.set(fault);
  open();
  for (const step of plan(subject, plotted, STEPS)) {
    const doing = JSON.stringify(step);
    if (only) console.error(doing, control.told());
    if (store === undefined || 'reopen' in step) {
      const { fired } = control.told();
      store?.close();
      // Closing flushes, but reports no error. If a fault happened, we cannot know what was flushed.
      if (control.told().fired > fired) oracle.abandoned();
      else oracle.flushed();
      open();
      if (store === undefined) continue;
    }
    try {
      if ('change' in step) {
        const { fired } = control.told();
        let done = false;
        try {
          subject.apply(store, step.change);
          done = true;
        } finally {
          if (subject.deferred) oracle.defer(step.change, done);
          else oracle.note(step.change, done && !(subject.lenient && control.told().fired > fired));
        }
      } else if ('house' in step) {
        subject.keepHouse(store, step.house);
        if (step.house === 0) oracle.flushed();
      }
    } catch (error) {
      judge(error, doing);
    }
    try {
      for (const it of oracle.judge((key) => subject.find(store, key), { mayMiss: true }))
        complain(`after ${doing}: ${it}`);
    } catch (error) {
      judge(error, 'get');
    }
  }
  const { calls, fired } = control.told();
  control.set();
  try {
    store?.close();
  } catch (error) {
    complain(`close threw ${/** @type {Error} */ (error).stack}`);
  }
  for (const it of afterwards(subject, at, oracle)) complain(it);
  rmSync(at, { recursive: true });
  return { calls, fired };
}

if (only) {
  const subject = SUBJECTS.find((it) => it.name === only[1]);
  if (subject) run(subject, Number(only[2]), JSON.parse(only[3] ?? ''));
  console.error(wrong.join('\n'));
  process.exit();
}

/** @type {{ subject: import('../lib/subjects.mjs').Subject, plotted: number, fault: import('./control.mjs').Fault }[]} */
const all = [];
for (const subject of SUBJECTS) {
  for (const plotted of Number(seconds) < 10 ? [Number(seed)] : [Number(seed), Number(seed) + 1]) {
    for (const [call, errnos] of ERRNOS) {
      const { calls } = run(subject, plotted, { calls: [call], from: 0, times: 1, action: 'nothing' });
      for (let from = 1; from <= calls; from++) {
        for (const errno of errnos) {
          all.push({ subject, plotted, fault: { calls: [call], from, times: 1, action: 'fail', errno } });
          if (errno === EINTR) continue;
          all.push({ subject, plotted, fault: { calls: [call], from, times: 0, action: 'fail', errno } });
          if (call === 'write')
            all.push({
              subject,
              plotted,
              fault: { calls: [call], from, times: 1, action: 'half, fail', errno },
            });
        }
        if (call === 'write' || call === 'read')
          all.push({ subject, plotted, fault: { calls: [call], from, times: 0, action: 'short' } });
      }
    }
  }
}
const deadline = Date.now() + Number(seconds) * 1000;
const before = descriptors();
let injected = 0;
let tried = 0;
for (const { subject, plotted, fault } of partOf(shuffled(all, random(Number(seed))), { of, parts })) {
  if (Date.now() > deadline) break;
  tried++;
  injected += run(subject, plotted, fault).fired;
}
// A lent window keeps its file open until V8 collects it.
for (let i = 0; i < 5 || (i < 500 && descriptors() > before + 20); i++) {
  globalThis.gc?.();
  await new Promise((done) => setTimeout(done, 20));
}
const after = descriptors();
if (after > before + 20) wrong.push(`descriptors: ${before} before, ${after} after`);
console.log(JSON.stringify({ tried, all: all.length, injected, wrong }));
