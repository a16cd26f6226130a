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

/** Options given to Node.js, from the command line and from the environment. */
export function nodeOptions(): string[] {
  const { NODE_OPTIONS } = process.env;
  return NODE_OPTIONS ? [...process.execArgv, ...NODE_OPTIONS.split(/\s+/)] : process.execArgv;
}

/** Why a process must be left as it is. */
export interface Reason {
  /** For people. */
  why: string;
  /** Whether TypeScript may be transpiled all the same, if nothing is cached. */
  transpiles: boolean;
}

/** Why this process must be left as it is, or `undefined`. */
export function reasonToStepAside(): Reason | undefined {
  const { env } = process;
  const wish = env.WARMSHARD;
  if (wish !== undefined && /^(0|false|no)$/i.test(wish))
    return { why: `WARMSHARD=${wish}`, transpiles: false };
  if (
    Number.parseInt(process.versions.node, 10) < 20 ||
    process.versions.bun !== undefined ||
    'deno' in process.versions
  )
    return { why: 'this runtime loads modules in another way than Node.js 20 and later', transpiles: false };
  const variable = WATCHING.find((name) => env[name]);
  if (variable !== undefined) return { why: `${variable} is set`, transpiles: true };
  const option = nodeOptions().find(
    (option) =>
      option.startsWith('--') && WATCHED.some((flag) => option.replaceAll('_', '-').startsWith(flag)),
  );
  if (option !== undefined) return { why: `${option} is given`, transpiles: true };
  return undefined;
}

/**
 * Whether only modules that must be transpiled are served: under this option Node.js keeps the source maps of what it
 * compiles itself.
 */
export function isTranspilingOnly(): boolean {
  return nodeOptions().some((option) => option.startsWith(MAPPED));
}
