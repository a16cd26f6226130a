// What people and their tools do to files while a host has them open: rights taken away, files deleted, replaced, cut, the
// folder removed. Where nothing was mapped, or nothing was cut, the host lives, and a flush afterwards holds.

import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { report } from '../lib/options.mjs';
import { FOR_EVER } from '../lib/patience.mjs';

const CHILD = fileURLToPath(new URL('meddled.mjs', import.meta.url));
const DEEDS = [
  'chmod',
  'folder chmod',
  'delete',
  'delete both',
  'replace',
  'rubbish',
  'link',
  'cut',
  'cut to nothing',
  'remove the folder',
];

/** @param {string} dir */
export async function underneath(dir) {
  // For whoever plays another user.
  chmodSync(dir, 0o711);
  /** @type {string[]} */
  const wrong = [];
  let buses = 0;
  for (const deed of DEEDS) {
    const both = ['mmap', 'read'].map(async (access) => {
      const at = `${dir}/${access}-${deed.replaceAll(' ', '-')}`;
      mkdirSync(at, { recursive: true });
      const child = spawn(process.execPath, [CHILD, access, deed, at], { timeout: FOR_EVER });
      let said = '';
      child.stderr.on('data', (chunk) => {
        said = (said + chunk).slice(-1500);
      });
      const [code, signal] = await new Promise((done) => child.on('close', (...how) => done(how)));
      // The one answer that no mapping can avoid.
      if (signal === 'SIGBUS' && access === 'mmap' && deed.startsWith('cut')) buses++;
      else if (code !== 0) wrong.push(`${deed} (${access}): ended with ${signal ?? code}: ${said}`);
    });
    await Promise.all(both);
  }
  report(
    'meddled with while open',
    `${DEEDS.length} deeds, mapped and read; ${buses} of 2 cuts of a mapped file ended it with SIGBUS, as stated`,
    wrong,
  );
}
