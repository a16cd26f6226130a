// A program of 300 TypeScript files: its first run, which transpiles them, and its second run.

import { join } from 'node:path';
import { chosen, sample, summary, watched } from '../../lib/measure.mjs';
import { COUNT, writeModules } from '../lib/modules.mjs';
import { Workspace } from '../lib/workspace.mjs';
import { BUILT_IN, NONE, TYPESCRIPT, WARMSHARD } from '../modes.mjs';

export const FIRST = 'typescript first';
export const SECOND = 'typescript second';
export const PRECOMPILED = 'precompiled JavaScript';

/** @param {import('../main.mjs').Suite} suite */
export async function typescript({ root, sizes, progress, add }) {
  progress(`${COUNT} TypeScript files`);
  const workspace = new Workspace(root, 'typescript');
  const { project } = workspace;
  const { bytes } = await writeModules(project, `${project}-compiled`);
  const compiled = join(`${project}-compiled`, 'main.js');
  const source = join(project, 'main.ts');
  const contenders = [
    { mode: { ...NONE, name: PRECOMPILED }, file: compiled },
    { mode: { ...BUILT_IN, name: `${PRECOMPILED}, built-in cache` }, file: compiled },
    { mode: { ...WARMSHARD, name: `${PRECOMPILED}, warmshard` }, file: compiled },
    ...[...TYPESCRIPT, WARMSHARD].map((mode) => ({ mode, file: source })),
  ];
  const [{ mode: plain }] = /** @type {[typeof contenders[0]]} */ (contenders);
  const expected = workspace.run(plain, [compiled]).stdout;
  /** @type {Record<string, string>} */
  const why = {};
  /** @param {typeof contenders[0]} contender */
  const run = ({ mode, file }) => {
    const { wall, exit, stdout, stderr } = workspace.run(mode, [file], { timed: true });
    if (exit !== '0' || stdout !== expected)
      why[mode.name] ??= `broken: exit ${exit} ${JSON.stringify((stderr || stdout).slice(0, 160))}`;
    return wall;
  };
  /** @type {Map<string, import('../../lib/measure.mjs').Watched<number>[]>} */
  const firsts = new Map(contenders.map(({ mode }) => [mode.name, []]));
  /** @param {typeof contenders[0]} contender */
  const first = (contender) => {
    workspace.forget(contender.mode);
    return watched(() => run(contender));
  };
  for (const contender of contenders) {
    const { name, absent } = contender.mode;
    if (absent !== undefined) why[name] = absent;
    else {
      await first(contender);
      run(contender);
    }
    if (why[name] && !absent) progress(`${name}: ${why[name]}`);
  }
  // A round is a second run, prepared by a first one. Disturbances of the two are judged separately: a transpiler process
  // that goes on working after the first run looks like another program, and must not get the second run dropped.
  const rounds = sizes.typescript;
  const seconds = await sample(
    contenders
      .filter(({ mode }) => why[mode.name] === undefined)
      .map((contender) => ({
        name: contender.mode.name,
        before: async () => firsts.get(contender.mode.name)?.push(await first(contender)),
        round: () => run(contender),
      })),
    { rounds, warmups: 0 },
  );
  const modes = contenders.map(({ mode }) => mode);
  const kilo = Math.round(bytes / 1000);
  for (const [id, what, taken] of /** @type {const} */ ([
    [FIRST, 'first', new Map([...firsts].map(([name, all]) => [name, chosen(all, rounds)]))],
    [SECOND, 'second', seconds],
  ]))
    add(id, `${COUNT} TypeScript files, ${kilo} KB, ${what} run`, modes, ({ name }) => {
      const found = taken.get(name);
      return why[name] ?? (found && summary(found.kept, found));
    });
}
