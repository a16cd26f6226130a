// Copies the packages, as they would be published, into a folder of their own, so that the checkout stays as it is.

import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ownPlatform } from '../cross/platforms.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Lays the packages out in a folder. The binary for this platform is the one in npm/ if `npm run build:all` has made it,
 * else the checkout's own. Packages for other platforms may lack a binary, because they are never loaded here.
 *
 * @param {string} folder
 * @returns the folders, the main package last, and which of them have no binary
 */
export function stage(folder) {
  rmSync(folder, { recursive: true, force: true });
  const own = ownPlatform();
  const platforms = readdirSync(join(ROOT, 'npm')).sort();
  /** @type {Record<string, string>} */
  const optional = {};
  const without = [];
  for (const platform of platforms) {
    const target = join(folder, platform);
    cpSync(join(ROOT, 'npm', platform), target, { recursive: true });
    const { name, version, main } = JSON.parse(readFileSync(join(target, 'package.json'), 'utf8'));
    optional[name] = version;
    if (existsSync(join(target, main))) continue;
    if (platform !== own) without.push(platform);
    else
      for (const file of readdirSync(ROOT).filter(
        (file) => file.includes(`.${own}.`) && file.endsWith('.node'),
      ))
        cpSync(join(ROOT, file), join(target, file));
  }
  if (without.length > 0)
    console.log(`without a binary, as npm run build:all has made none: ${without.join(', ')}`);
  const main = join(folder, 'warmshard');
  mkdirSync(main);
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  for (const name of [...manifest.files, 'package.json'])
    cpSync(join(ROOT, name), join(main, name), { recursive: true });
  const published = { ...manifest, optionalDependencies: optional };
  writeFileSync(join(main, 'package.json'), `${JSON.stringify(published, null, 2)}\n`);
  return {
    folders: [...platforms.map((platform) => join(folder, platform)), main],
    without: without.map((platform) => join(folder, platform)),
  };
}

/** Prints what `npm publish` would do with every package. @param {string[]} folders @param {string} url */
export function dryRun(folders, url) {
  for (const folder of folders) {
    const args = ['publish', '--dry-run', '--ignore-scripts', '--json', '--registry', url];
    const out = execFileSync('npm', args, {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const packed = JSON.parse(out);
    const { id, entryCount, size, unpackedSize } =
      packed.id === undefined ? Object.values(packed)[0] : packed;
    console.log(`${id}: ${entryCount} files, ${size} bytes, unpacked ${unpackedSize}`);
  }
}
