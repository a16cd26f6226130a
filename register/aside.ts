/** When a process is left to Node.js: under which options, variables and runtimes. */

import { options } from './opening.js';

/**
 * Options under which a program is observed or runs differently, by their prefixes. Their users must see what happens
 * without warmshard.
 */
const WATCHED = [
  '--inspect',
  '--cpu-prof',
  '--heap-prof',
  '--prof',
  '--experimental-test-coverage',
  '--experimental-policy',
  '--experimental-package-map',
  '--build-s',
  '--experimental-sea-config',
  '--preserve-symlinks',
  '--watch',
  '--frozen-intrinsics',
  '--no-lazy',
  '--nolazy',
  '--trace-event',
];

/** Environment variables with the same effect. */
const WATCHING = [
  'NODE_V8_COVERAGE',
  'NODE_PRESERVE_SYMLINKS',
  'WATCH_REPORT_DEPENDENCIES',
  'NODE_PRESERVE_SYMLINKS_MAIN',
];

/** Under this option Node.js keeps source maps, but only of what it compiles itself. */
const MAPPED = '--enable-source-maps';

/** Why a process is left to Node.js. */
export interface Reason {
  /** Shown by `status` and in debug output. */
  why: string;
  /** Whether TypeScript is transpiled all the same, without caching anything. */
  transpiles: boolean;
}

/**
 * The first option of the process that has one of these prefixes, as it was given. It is a loop because V8 would have to
 * compile a closure at its first call.
 */
export function optionAmong(beginnings: readonly string[]): string | undefined {
  for (const option of options) {
    if (!option.startsWith('--')) continue;
    const spelled = option.replaceAll('_', '-');
    for (const start of beginnings) if (spelled.startsWith(start)) return option;
  }
  return undefined;
}

/** Why this process is left to Node.js; `undefined` if it is not. */
export function reasonToStepAside(): Reason | undefined {
  const { env, versions } = process;
  const wish = env.WARMSHARD;
  if (wish !== undefined && /^(0|false|no)$/i.test(wish))
    return { why: `WARMSHARD=${wish}`, transpiles: false };
  if (Number.parseInt(versions.node, 10) < 20 || versions.bun !== undefined || 'deno' in versions)
    return { why: 'this runtime loads modules in another way than Node.js 20 and later', transpiles: false };
  for (const name of WATCHING) if (env[name]) return { why: `${name} is set`, transpiles: true };
  const option = optionAmong(WATCHED);
  if (option !== undefined) return { why: `${option} is given`, transpiles: true };
  return undefined;
}

/** Whether only modules that need a transpiler are served: see `MAPPED`. */
export const isTranspilingOnly = (): boolean => optionAmong([MAPPED]) !== undefined;

/** Below this size, in MiB, V8 may run out of memory if it puts off collecting garbage while a program is being loaded. */
const SMALL_HEAP = 128;

/** Whether an option keeps V8's heap small. */
export function isHeapSmall(): boolean {
  const option = optionAmong(['--max-old-space-size', '--max-heap-size']);
  return Number(option?.split('=')[1]) < SMALL_HEAP;
}
