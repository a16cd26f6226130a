// The modes that are compared: the ways to start a program, as the documentation calls them.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PROGRAMS } from '../setup/programs.mjs';

/**
 * @typedef {object} Mode
 * @property {string} name
 * @property {readonly string[]} [args] options of node, before the program
 * @property {(cache: string) => Record<string, string>} [env] environment variables, given the mode's cache folder
 * @property {string | undefined} [absent] why the mode is not available here
 */

/** The file that is preloaded; REGISTER_DOOR names another one than that of the package, for experiments. */
export const DOOR =
  process.env.REGISTER_DOOR ?? fileURLToPath(new URL('../../dist/register.cjs', import.meta.url));

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
/** `NODE_COMPILE_CACHE` came with 22.1. */
const builtIn = major > 22 || (major === 22 && minor >= 1);
/** Whether Node.js runs a `.ts` file without an option. */
export const STRIPS = major > 22 || (major === 22 && minor >= 18);

const packages = join(PROGRAMS, 'node_modules');
/** Switches off the caches that programs bring along, so that none of them is measured instead of the mode's cache. */
const NO_OWN = { NODE_DISABLE_COMPILE_CACHE: '1', DISABLE_V8_COMPILE_CACHE: '1' };

/** @type {Mode} */
export const NONE = { name: 'none', env: () => NO_OWN };

/** As users start it: with the program's own cache, if it switches one on. @type {Mode} */
export const SHIPPED = { name: 'as shipped' };

/** @type {Mode} */
export const BUILT_IN = {
  name: 'built-in',
  env: (cache) => ({ NODE_COMPILE_CACHE: cache, DISABLE_V8_COMPILE_CACHE: '1' }),
  absent: builtIn ? undefined : 'needs Node.js 22.1',
};

/** @type {Mode} */
export const V8_COMPILE_CACHE = {
  name: 'v8-compile-cache',
  args: ['-r', join(packages, 'v8-compile-cache/v8-compile-cache.js')],
  env: (cache) => ({ NODE_DISABLE_COMPILE_CACHE: '1', V8_COMPILE_CACHE_CACHE_DIR: cache }),
};

/** @type {Mode} */
export const WARMSHARD = {
  name: 'warmshard',
  args: ['-r', DOOR],
  env: (cache) => ({ WARMSHARD_HOME: cache }),
  absent: existsSync(DOOR) ? undefined : `${DOOR} is missing: npm run build:js`,
};

/** Preloaded by the package's name, as most users write it. Node.js has to resolve the name. @type {Mode} */
export const BY_NAME = { ...WARMSHARD, name: 'warmshard, by name', args: ['-r', 'warmshard/register'] };

/** Preloaded, but switched off. @type {Mode} */
export const SWITCHED_OFF = {
  ...WARMSHARD,
  env: (cache) => ({ ...NO_OWN, WARMSHARD_HOME: cache, WARMSHARD: '0' }),
};

/** Its cache folder cannot be created. @type {Mode} */
export const UNUSABLE = { ...WARMSHARD, env: () => ({ ...NO_OWN, WARMSHARD_HOME: '/dev/null/none' }) };

export const MODES = [NONE, SHIPPED, BUILT_IN, V8_COMPILE_CACHE, WARMSHARD];

/** Other ways to run TypeScript. @type {Mode[]} */
export const TYPESCRIPT = [
  { name: 'tsx', args: ['--import', join(packages, 'tsx/dist/loader.mjs')] },
  { name: 'jiti', args: [join(packages, 'jiti/lib/jiti-cli.mjs')] },
  { name: 'swc-node', args: ['-r', join(packages, '@swc-node/register/index.js')] },
  { name: 'esbuild-register', args: ['-r', join(packages, 'esbuild-register/register.js')] },
  { name: 'ts-node', args: ['-r', join(packages, 'ts-node/register/transpile-only.js')] },
  {
    name: 'Node.js, types stripped',
    args: ['--no-warnings'],
    absent: STRIPS ? undefined : 'needs Node.js 22.18',
  },
  {
    name: 'Node.js, types stripped, built-in cache',
    args: ['--no-warnings'],
    env: (cache) => ({ NODE_COMPILE_CACHE: cache }),
    absent: STRIPS ? undefined : 'needs Node.js 22.18',
  },
];
