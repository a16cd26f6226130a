// Real faults: system calls that fail, limits of the process, files that other programs change, and full disks.

import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { options, report, scratch, skipped } from '../lib/options.mjs';
import { FOR_EVER } from '../lib/patience.mjs';
import { Control, environment, library } from './control.mjs';
import { limits } from './limits.mjs';
import { fullDisks } from './media.mjs';
import { breakPrograms } from './programs.mjs';
import { underneath } from './underneath.mjs';

const { seconds, seed, part } = options(60);

const dir = scratch();
mkdirSync(`${dir}/files`);
const built = library(dir);
if ('missing' in built) skipped('calls that fail', built.missing);
else {
  await calls(built.path);
  const how = { seconds: seconds / 4, seed, part };
  const { tried, all, injected, wrong } = await breakPrograms(built.path, `${dir}/programs`, how);
  report('programs whose cache fails', `${injected} failures in ${tried} of ${all} runs`, wrong);
}
limits(dir);
await underneath(scratch({ disk: true }));
await fullDisks(scratch({ disk: true }), { seed });

/** @param {string} lib */
async function calls(lib) {
  const path = `${dir}/control`;
  new Control(path).close();
  const script = fileURLToPath(new URL('calls.mjs', import.meta.url));
  const child = spawn(
    process.execPath,
    ['--expose-gc', script, `${dir}/files`, path, String(seconds), String(seed), `${part.of}/${part.parts}`],
    {
      env: environment(lib, `${dir}/files`, path),
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let out = '';
  child.stdout.on('data', (chunk) => (out += chunk));
  const timer = setTimeout(() => child.kill('SIGKILL'), seconds * 1000 + FOR_EVER);
  const [code, signal] = await new Promise((done) => child.on('close', (...how) => done(how)));
  clearTimeout(timer);
  if (code !== 0) {
    report('calls that fail', `the host ended with ${signal ?? code}`, [readFileSync(`${path}.now`, 'utf8')]);
    return;
  }
  // The child has printed everything about this one run.
  if (process.env.WARMSHARD_ONLY) process.exit();
  const { tried, all, injected, wrong } = JSON.parse(out);
  report('calls that fail', `${injected} failures in ${tried} of ${all} runs`, wrong);
}
