// Carries out a plan, and writes each change to a log before it begins and after it is done. The log outlives the process.

import { openSync, writeSync } from 'node:fs';
import { plan } from '../lib/scenario.mjs';
import { SUBJECTS } from '../lib/subjects.mjs';

const [name, seed, steps, dir, logPath] = /** @type {[string, string, string, string, string]} */ (
  process.argv.slice(2)
);
const log = openSync(logPath, 'a');
/** @param {unknown} what */
const say = (what) => writeSync(log, `${JSON.stringify(what)}\n`);

const subject = SUBJECTS.find((it) => it.name === name);
if (!subject) throw new Error(`no such store: ${name}`);
let store = subject.open(dir);
for (const step of plan(subject, Number(seed), Number(steps))) {
  if ('change' in step) {
    say(step.change);
    subject.apply(store, step.change);
    say('done');
  } else if ('house' in step) {
    subject.keepHouse(store, step.house);
    if (step.house === 0) say('flushed');
  } else {
    store.close();
    store = subject.open(dir);
  }
}
store.close();
