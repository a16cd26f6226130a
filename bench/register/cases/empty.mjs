// What each mode adds to a program that does nothing: the price that every small program pays.

import { sample, summary } from '../../lib/measure.mjs';
import { Workspace } from '../lib/workspace.mjs';
import { BUILT_IN, BY_NAME, NONE, V8_COMPILE_CACHE, WARMSHARD } from '../modes.mjs';

export const EMPTY = 'empty program';

/** @param {import('../main.mjs').Suite} suite */
export async function empty({ root, sizes, progress, add }) {
  progress(EMPTY);
  const workspace = Workspace.of(root, EMPTY);
  workspace.install();
  const modes = [NONE, BUILT_IN, V8_COMPILE_CACHE, WARMSHARD, BY_NAME];
  const samples = await sample(
    modes
      .filter(({ absent }) => absent === undefined)
      .map((mode) => ({
        name: mode.name,
        round: () => workspace.run(mode, ['empty.cjs'], { timed: true }).wall,
      })),
    { rounds: sizes.empty, warmups: 3 },
  );
  add(EMPTY, 'a program that does nothing', modes, (mode) => {
    const taken = samples.get(mode.name);
    return taken && summary(taken.kept, taken);
  });
}
