// Damaged files of all kinds, opened in a real Node.js that then calls every method. One child serves many inputs; if it ends
// early, hangs or returns wrong bytes, that is a bug.

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { options, report, scratch } from '../lib/options.mjs';
import { FOR_EVER } from '../lib/patience.mjs';
import { fuzzPrograms } from './programs.mjs';

const CHILD = fileURLToPath(new URL('child.mjs', import.meta.url));
/** Milliseconds between two looks at a child. */
const LOOK = 5000;
const { seconds, seed } = options(60);
const dir = scratch();
const deadline = Date.now() + seconds * 1000;
/** @type {string[]} */
const wrong = [];
let inputs = 0;
let calls = 0;
let megabytes = 0;

/** @param {number} n */
async function lane(n) {
  for (let from = seed + n * 1_000_000; Date.now() < deadline; ) {
    const now = `${dir}/now-${n}`;
    const left = Math.ceil((deadline - Date.now()) / 1000);
    const child = spawn(process.execPath, ['--expose-gc', CHILD, `${dir}/${n}`, now, `${from}`, `${left}`]);
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk) => {
      out += chunk;
    });
    child.stderr.on('data', (chunk) => {
      err = (err + chunk).slice(-2000);
    });
    // A child notes each input before it opens it. If the note stays the same for too long, the child hangs.
    let last = '';
    let same = 0;
    const watch = setInterval(() => {
      const is = readFileSync(now, { encoding: 'utf8', flag: 'a+' });
      same = is === last ? same + 1 : 0;
      if (same * LOOK >= FOR_EVER) child.kill('SIGKILL');
      last = is;
    }, LOOK);
    const [code, signal] = await new Promise((done) => child.on('close', (...how) => done(how)));
    clearInterval(watch);
    const at = Number(readFileSync(now, { encoding: 'utf8', flag: 'a+' }).split(' ')[0]);
    if (code !== 0) {
      wrong.push(`seed ${at}: the host ended with ${signal ?? code}: ${err}`);
      from = at + 1;
      continue;
    }
    const told = JSON.parse(out);
    inputs += told.inputs;
    calls += told.calls;
    megabytes = Math.max(megabytes, told.megabytes);
    wrong.push(...told.wrong);
    return;
  }
}

const [programs] = await Promise.all([fuzzPrograms(`${dir}/programs`, { seconds, seed }), lane(0), lane(1)]);
report(
  'files of any bytes under Node.js',
  `${inputs} inputs, ${calls} calls, at most ${megabytes} MiB of memory`,
  wrong,
);
report('programs over caches of any bytes', `${programs.runs} runs`, programs.wrong);
