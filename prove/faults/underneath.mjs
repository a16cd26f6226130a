// What people and their tools do to files while a host has them open: they change permissions, delete, replace or truncate
// files, or remove the folder. The host must survive, and a flush afterwards must hold. The one exception is SIGBUS, if a mapped
// file is truncated.

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
  // The child may become another user, who needs access.
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
      // The kernel sends SIGBUS when a mapping is read beyond the end of its file; no program can avoid that.
      if (signal === 'SIGBUS' && access === 'mmap' && deed.startsWith('cut')) buses++;
      else if (code !== 0) wrong.push(`${deed} (${access}): ended with ${signal ?? code}: ${said}`);
    });
    await Promise.all(both);
  }
  report(
    'files changed while open',
    `${DEEDS.length} deeds, mapped and read; ${buses} of 2 truncations of a mapped file ended the host with SIGBUS, as documented`,
    wrong,
  );
}
