// Environment variables of this process, for the tests of folders that depend on them.

const NAMES = ['WARMSHARD_HOME', 'XDG_CACHE_HOME', 'HOME'];

/** Runs something synchronous with only these of the variables that name cache folders. */
export function withEnv<T>(env: Record<string, string | undefined>, run: () => T): T {
  const set = (values: Record<string, string | undefined>) => {
    for (const name of NAMES)
      if (values[name] === undefined) delete process.env[name];
      else process.env[name] = values[name];
  };
  const before = { ...process.env };
  set(env);
  try {
    return run();
  } finally {
    set(before);
  }
}
