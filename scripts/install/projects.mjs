// Empty projects in which each package manager installs the package, which must then work without any configuration.

import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tool, WORK } from './tools.mjs';

const FIXTURES = fileURLToPath(new URL('fixtures', import.meta.url));
const NPM = join(dirname(process.execPath), 'npm');

/**
 * How each package manager installs, and how Node.js is run: Yarn's Plug'n'Play has to prepare it.
 *
 * @type {Record<string, { install: string[], node: string[], files?: Record<string, string> }>}
 */
export const MANAGERS = {
  npm: { install: [NPM, 'install', '--no-audit', '--no-fund'], node: [process.execPath] },
  pnpm: { install: [process.execPath, tool('pnpm/bin/pnpm.cjs'), 'install'], node: [process.execPath] },
  'yarn 1': { install: [process.execPath, tool('yarn/bin/yarn.js'), 'install'], node: [process.execPath] },
  'yarn node-modules': {
    install: [process.execPath, tool('@yarnpkg/cli-dist/bin/yarn.js'), 'install'],
    node: [process.execPath],
    files: { '.yarnrc.yml': 'nodeLinker: node-modules\n' },
  },
  'yarn pnp': {
    install: [process.execPath, tool('@yarnpkg/cli-dist/bin/yarn.js'), 'install'],
    node: [process.execPath, tool('@yarnpkg/cli-dist/bin/yarn.js'), 'node'],
    files: { '.yarnrc.yml': 'nodeLinker: pnp\npnpEnableEsmLoader: true\n' },
  },
};

/** A PATH with a shell and Node.js, and no compiler of any kind. */
function barePath() {
  const bin = join(WORK, 'bin');
  rmSync(bin, { recursive: true, force: true });
  mkdirSync(bin, { recursive: true });
  symlinkSync(process.execPath, join(bin, 'node'));
  symlinkSync('/bin/sh', join(bin, 'sh'));
  return bin;
}

/** An environment with our registry only, and without this user's folders. @param {string} url */
export function environment(url) {
  const home = join(WORK, 'home');
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  return {
    PATH: barePath(),
    HOME: home,
    npm_config_registry: url,
    npm_config_store_dir: join(home, 'store'),
    YARN_REGISTRY: url,
    YARN_NPM_REGISTRY_SERVER: url,
    YARN_UNSAFE_HTTP_WHITELIST: '127.0.0.1',
    YARN_ENABLE_TELEMETRY: '0',
    YARN_ENABLE_IMMUTABLE_INSTALLS: '0',
    // The packages were published only a moment ago.
    YARN_NPM_MINIMAL_AGE_GATE: '0',
    COREPACK_ENABLE_STRICT: '0',
  };
}

/** @param {string} name @param {string} version @param {Record<string, string>} env */
export function install(name, version, env) {
  const { install, files = {} } = /** @type {typeof MANAGERS[string]} */ (MANAGERS[name]);
  const folder = join(WORK, 'projects', name.replace(' ', '-'));
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  cpSync(FIXTURES, folder, { recursive: true });
  const manifest = { name: 'project', version: '1.0.0', private: true, dependencies: { warmshard: version } };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  // Yarn takes the folder for a project of its own only if it has a lock file.
  if (name.startsWith('yarn')) writeFileSync(join(folder, 'yarn.lock'), '');
  for (const [file, content] of Object.entries(files)) writeFileSync(join(folder, file), content);
  run(install, folder, env);
  return folder;
}

/** @param {string[]} command @param {string} cwd @param {Record<string, string>} env */
export function run(command, cwd, env) {
  const [program = '', ...args] = command;
  try {
    return execFileSync(program, args, {
      cwd,
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 120_000,
    });
  } catch (error) {
    const { stdout, stderr, message } = /** @type {{ stdout: string, stderr: string, message: string }} */ (
      error
    );
    throw new Error(`${message.split('\n', 1)[0]}\n${stdout}${stderr}`);
  }
}
