// Real programs: first checks that every mode leaves their output unchanged, then times warm runs and runs from an empty
// cache.

import { sample, summary } from '../../lib/measure.mjs';
import { Expectation } from '../lib/outcome.mjs';
import { Workspace } from '../lib/workspace.mjs';
import { BUILT_IN, MODES, NONE, SHIPPED, WARMSHARD } from '../modes.mjs';

/** How many runs a cache needs, from an empty one, until it has stored everything that it will store. */
const SETTLED = 3;

/** @param {string} name */
export const warmOf = (name) => `warm ${name}`;
/** @param {string} name */
export const firstOf = (name) => `first ${name}`;

/**
 * How a mode breaks a program, or `undefined`. Leaves the mode's cache warm.
 *
 * @param {Expectation} expected
 * @param {Workspace} workspace
 * @param {import('../programs.mjs').Program} program
 * @param {import('../modes.mjs').Mode} mode
 */
function broken(expected, workspace, program, mode) {
  workspace.forget(mode);
  for (let run = 0; run < SETTLED; run++) {
    const found = expected.differs(workspace.start(program, mode));
    if (found) return `broken in run ${run + 1}: ${found}`;
  }
  return undefined;
}

/** @param {import('../main.mjs').Suite} suite @param {import('../programs.mjs').Program} program */
export async function one({ root, sizes, progress, add }, program) {
  progress(program.name);
  const workspace = Workspace.of(root, program.name);
  const expected = new Expectation(() => workspace.start(program, NONE));
  const { exit, stderr } = expected.sample;
  if (exit !== `${program.exit ?? 0}`)
    throw new Error(`${program.name} does not run by itself: exit ${exit}: ${stderr}`);

  const modes = MODES.filter((mode) => mode !== SHIPPED || program.cached !== undefined);
  /** @type {Record<string, string>} */
  const why = {};
  for (const mode of modes) {
    const reason = mode.absent ?? broken(expected, workspace, program, mode);
    if (reason !== undefined) why[mode.name] = reason;
    if (reason !== undefined && mode.absent === undefined)
      progress(`${program.name}: ${mode.name}: ${reason}`);
  }
  const able = modes.filter(({ name }) => why[name] === undefined);
  const timed = (/** @type {import('../modes.mjs').Mode} */ mode) => {
    const outcome = workspace.start(program, mode, { timed: true });
    if (outcome.exit !== exit) throw new Error(`${program.name}, ${mode.name}: exit ${outcome.exit}`);
    return outcome.wall;
  };

  const warm = await sample(
    able.map((mode) => ({ name: mode.name, round: () => timed(mode) })),
    { rounds: sizes.warm, warmups: 0 },
  );
  add(warmOf(program.name), `${program.name}, warm`, modes, ({ name }) => figureOf(warm, name) ?? why[name]);

  const rounds = program.quick ? sizes.firstOfQuick : sizes.first;
  if (rounds === 0) return;
  const starters = modes.filter((mode) => [NONE, BUILT_IN, WARMSHARD].includes(mode));
  const first = await sample(
    starters
      .filter(({ name }) => why[name] === undefined)
      .map((mode) => ({
        name: mode.name,
        round: () => {
          workspace.forget(mode);
          return timed(mode);
        },
      })),
    { rounds, warmups: 0 },
  );
  add(firstOf(program.name), `${program.name}, first run`, starters, ({ name }) => {
    return figureOf(first, name) ?? why[name];
  });
}

/** @param {Map<string, import('../../lib/measure.mjs').Sample<number>>} samples @param {string} name */
function figureOf(samples, name) {
  const taken = samples.get(name);
  return taken && summary(taken.kept, taken);
}
