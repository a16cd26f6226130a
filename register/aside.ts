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
  '--enable-source-maps',
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

/** Options given to Node.js, from the command line and from the environment. */
export function nodeOptions(): string[] {
  const { NODE_OPTIONS } = process.env;
  return NODE_OPTIONS ? [...process.execArgv, ...NODE_OPTIONS.split(/\s+/)] : process.execArgv;
}

/**
 * Why this process must be left as it is.
 *
 * @returns a reason for people, or `undefined`
 */
export function reasonToStepAside(): string | undefined {
  const { env } = process;
  const wish = env.WARMSHARD;
  if (wish !== undefined && /^(0|false|no)$/i.test(wish)) return `WARMSHARD=${wish}`;
  if (
    Number.parseInt(process.versions.node, 10) < 20 ||
    process.versions.bun !== undefined ||
    'deno' in process.versions
  )
    return 'this runtime loads modules in another way than Node.js 20 and later';
  const variable = WATCHING.find((name) => env[name]);
  if (variable !== undefined) return `${variable} is set`;
  const option = nodeOptions().find(
    (option) =>
      option.startsWith('--') && WATCHED.some((flag) => option.replaceAll('_', '-').startsWith(flag)),
  );
  if (option !== undefined) return `${option} is given`;
  return undefined;
}
