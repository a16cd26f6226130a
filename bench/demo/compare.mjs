// Two runs side by side: what was loaded from the shard against what was compiled.

/** @typedef {import('./child.mjs').Ran} Ran */

/** @param {readonly number[]} values */
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

/**
 * Compares behaviour.
 *
 * @param {readonly string[]} scripts
 * @param {Ran} compiled
 * @param {Ran} loaded
 */
export function compareBehaviour(scripts, { behaviour: wanted }, { behaviour: got }) {
  if (!wanted || !got) throw new Error('the behaviour was not recorded');
  const names = Object.keys(wanted.results);
  const differences = [
    ...scripts.filter((_, i) => wanted.texts[i] !== got.texts[i]).map((path) => `${path}: another text`),
    ...names
      .filter((name) => wanted.results[name] !== got.results[name])
      .map((name) => `${name}: another result`),
  ];
  return { texts: scripts.length, executed: names, scripts: got.scripts, differences };
}

/**
 * A row of the table: medians over the runs of what the scripts took together.
 *
 * @param {string} name
 * @param {ReadonlyMap<string, number>} sizes bytes by script
 * @param {readonly Ran[]} compiled
 * @param {readonly Ran[]} loaded
 */
export function compareTimes(name, sizes, compiled, loaded) {
  const scripts = [...sizes.keys()];
  const took = (/** @type {readonly Ran[]} */ ran) =>
    median(ran.map(({ each }) => scripts.reduce((sum, script) => sum + (each[script] ?? 0), 0)));
  const [compileMs, warmLoadMs] = [took(compiled), took(loaded)];
  return {
    name,
    files: scripts.length,
    sourceBytes: [...sizes.values()].reduce((sum, size) => sum + size, 0),
    compileMs,
    warmLoadMs,
    speedUp: compileMs / warmLoadMs,
  };
}

/** Milliseconds of reading the sources. @param {readonly Ran[]} ran */
export const readMs = (ran) => median(ran.map(({ ms }) => ms.read));
