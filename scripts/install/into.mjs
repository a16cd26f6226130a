// Installs the packages into a project, as they would be published from this checkout for this machine's platform.
//
//   node scripts/install/into.mjs examples/electron

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ownPlatform } from '../cross/platforms.mjs';
import { stage } from './stage.mjs';

const STAGE = fileURLToPath(new URL('../../target/install/into', import.meta.url));
const project = resolve(process.argv[2] ?? '.');
const { folders } = stage(STAGE);
const main = /** @type {string} */ (folders.at(-1));
const manifest = JSON.parse(readFileSync(join(main, 'package.json'), 'utf8'));
// The platform packages are not published yet; the one that is needed is installed beside it. The scripts are for the
// checkout only.
delete manifest.optionalDependencies;
delete manifest.scripts;
writeFileSync(join(main, 'package.json'), JSON.stringify(manifest));
const packed = [main, join(STAGE, ownPlatform())].map((folder) => {
  const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', STAGE];
  const [{ filename }] = JSON.parse(execFileSync('npm', args, { cwd: folder, encoding: 'utf8' }));
  return join(STAGE, filename);
});
const install = ['install', '--no-save', '--no-package-lock', '--no-audit', '--no-fund'];
execFileSync('npm', [...install, ...process.argv.slice(3), ...packed], { cwd: project, stdio: 'inherit' });
