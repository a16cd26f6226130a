/** Flags under which programs are watched or run differently: whoever gives them must see what is there without us. */
const WATCHED =
  /^--(inspect|cpu-prof|heap-prof|prof|experimental-test-coverage|experimental-policy|build-snapshot|build-sea|experimental-sea-config|preserve-symlinks|watch|frozen-intrinsics|experimental-package-map|enable-source-maps|no-?lazy$|trace-(?!warnings|deprecation|uncaught|exit))/;

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
  if (/^(0|false|no)$/i.test(env.WARMSHARD ?? '')) return `WARMSHARD=${env.WARMSHARD}`;
  const [major = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || process.versions.bun !== undefined || 'deno' in process.versions)
    return 'this runtime loads modules in another way than Node.js 20 and later';
  const variable = WATCHING.find((name) => env[name]);
  if (variable !== undefined) return `${variable} is set`;
  const option = nodeOptions().find((option) => WATCHED.test(option));
  if (option !== undefined) return `${option} is given`;
  return undefined;
}
