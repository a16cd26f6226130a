// A host that runs out of a resource: see limits.mjs.

import { closeSync, mkdirSync, openSync } from 'node:fs';
import { constants } from 'node:os';
import { Shard } from 'warmshard';
import { Oracle } from '../lib/oracle.mjs';
import { Refusals } from '../lib/refusals.mjs';
import { SUBJECTS } from '../lib/subjects.mjs';
import { Control } from './control.mjs';

const [what, at, controlPath] = /** @type {[string, string, string]} */ (process.argv.slice(2));
const refusals = new Refusals(['ERR_IO']);
const { wrong } = refusals;
/** @param {() => void} work */
const may = (work) => refusals.may(work);

/** Works with every store, and takes the resource away now and then. @param {(now: boolean) => void} starve */
function work(starve) {
  for (const subject of SUBJECTS) {
    const dir = `${at}/${what}-${subject.name.replaceAll(/\W+/g, '-')}`;
    mkdirSync(dir);
    const oracle = new Oracle();
    let store = subject.open(dir);
    for (let tag = 1; tag < 120; tag++) {
      const starved = tag % 4 < 2;
      starve(starved);
      const change = { tag, put: [`key ${tag % 30}`] };
      const before = subject.lenient ? store.metrics().rejectedPuts : 0;
      const done = may(() => subject.apply(store, change));
      if (subject.deferred) oracle.defer(change, done);
      else oracle.note(change, done && !(subject.lenient && store.metrics().rejectedPuts > before));
      if (tag % 3 === 0 && may(() => store.flush())) oracle.flushed();
      if (tag % 10 === 1) may(() => store.compact?.());
      if (tag % 8 === 1) {
        let other;
        may(() => {
          other = subject.open(dir);
        });
        /** @type {any} */ (other)?.close();
      }
      for (const it of oracle.judge(
        (key) => {
          // The first look-ups load a part of the package, which can be refused, too.
          /** @type {number | undefined} */
          let found;
          may(() => {
            found = subject.find(store, key);
          });
          return found;
        },
        { mayMiss: true },
      ))
        wrong.push(`${subject.name} ${tag}: ${it}`);
    }
    starve(false);
    store.close();
    store = subject.open(dir);
    for (const it of oracle.judge((key) => subject.find(store, key)))
      wrong.push(`${subject.name} opened again: ${it}`);
    store.close();
  }
}

let figure = '';
if (what === 'descriptors') {
  /** @type {number[]} */
  const taken = [];
  work((now) => {
    try {
      while (now) taken.push(openSync('/dev/null', 'r'));
    } catch {}
    if (!now) for (const fd of taken.splice(0)) closeSync(fd);
  });
  figure = `${refusals.count} calls refused`;
} else if (what === 'maps') {
  const control = new Control(controlPath);
  let fired = 0;
  work((now) => {
    fired += control.told().fired;
    control.set(
      now ? { calls: ['mmap'], from: 1, times: 0, action: 'fail', errno: constants.errno.ENOMEM } : undefined,
    );
  });
  if (refusals.count > 0)
    wrong.push(`${refusals.count} calls failed instead of reading the file without a mapping`);
  figure = `${fired} mappings refused, no call failed`;
} else {
  // The clock jumps between any two calls. Entries may expire early or late; nothing else may change.
  const control = new Control(controlPath);
  let turn = 0;
  work(() => control.set(undefined, [0, -3600, 3600, -86_400 * 365][turn++ % 4]));
  control.set();
  const shard = Shard.open(`${at}/expiry.shard`);
  shard.put('soon', new Uint8Array(1), { expiresAt: Date.now() + 1_800_000 });
  control.set(undefined, 3600);
  if (shard.has('soon')) wrong.push('an expired entry is still found');
  control.set(undefined, -3600);
  if (!shard.has('soon')) wrong.push('an entry that has not expired is not found');
  shard.close();
  if (refusals.count > 0) wrong.push(`${refusals.count} calls failed`);
  figure = `${turn} jumps of the clock`;
}
console.log(JSON.stringify({ figure, wrong }));
