// Tools that only the install tests need. They are too large for every `npm ci`, so they are installed into target/.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const WORK = fileURLToPath(new URL('../../target/install', import.meta.url));
const TOOLS = join(WORK, 'tools');

const PACKAGES = {
  '@arethetypeswrong/cli': '0.18.5',
  '@yarnpkg/cli-dist': '4.18.1',
  pnpm: '10.34.9',
  publint: '0.3.25',
  verdaccio: '6.8.0',
  webpack: '5.113.0',
  'webpack-cli': '7.3.1',
  yaml: '2.8.1',
  yarn: '1.22.22',
};

export function fetchTools() {
  const manifest = JSON.stringify({
    private: true,
    dependencies: PACKAGES,
    // verdaccio depends on it by a tag that not every registry has.
    overrides: { 'node-fetch': '2.7.0' },
  });
  const file = join(TOOLS, 'package.json');
  if (existsSync(file) && readFileSync(file, 'utf8') === manifest) return;
  mkdirSync(TOOLS, { recursive: true });
  writeFileSync(file, manifest);
  execFileSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: TOOLS,
    stdio: 'inherit',
  });
}

/** @param {string} path below node_modules */
export const tool = (path) => join(TOOLS, 'node_modules', path);
