import { options } from './opening.js';

/**
 * Flags under which programs are watched or run differently: whoever gives them must see what is there without us. Told
 * by how they begin.
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

/** Variables that do the same. */
const WATCHING = [
  'NODE_V8_COVERAGE',
  'NODE_PRESERVE_SYMLINKS',
  'WATCH_REPORT_DEPENDENCIES',
  'NODE_PRESERVE_SYMLINKS_MAIN',
];

/** Under this one Node.js keeps the source maps of what it compiles itself, so it is to compile what needs no transpiler. */
const MAPPED = '--enable-source-maps';

/** Why a process must be left as it is. */
export interface Reason {
  /** For people. */
  why: string;
  /** Whether TypeScript may be transpiled all the same, if nothing is cached. */
  transpiles: boolean;
}

/** The first option, as it was given, that begins as one of these does. No closures: each would be compiled at its call. */
export function optionAmong(beginnings: readonly string[]): string | undefined {
  for (const option of options) {
    if (!option.startsWith('--')) continue;
    const spelled = option.replaceAll('_', '-');
    for (const start of beginnings) if (spelled.startsWith(start)) return option;
  }
  return undefined;
}

/** Why this process must be left as it is, or `undefined`. */
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

/**
 * Whether only modules that must be transpiled are served: under this option Node.js keeps the source maps of what it
 * compiles itself.
 */
export const isTranspilingOnly = (): boolean => optionAmong([MAPPED]) !== undefined;
