// Writes the figures of warmshard/register as Markdown.

import { caseTable, figure, goalTable, machineLine, medianOf } from '../../report/markdown.mjs';
import { EMPTY } from '../cases/empty.mjs';
import { firstOf, warmOf } from '../cases/programs.mjs';
import { FIRST, SECOND } from '../cases/typescript.mjs';
import { geometric, ratios } from '../goals.mjs';
import { PROGRAMS } from '../programs.mjs';

/** Modes that have a column, after that of none. */
const SHOWN = ['as shipped', 'built-in', 'v8-compile-cache', 'warmshard'];

/** @typedef {import('../main.mjs').Run} Run */

/** Whether the row is empty because the mode breaks the program. @param {{ absent: string }} row */
const isBroken = ({ absent }) => absent.startsWith('broken');

/** @param {string[]} cells */
const row = (cells) => `| ${cells.join(' | ')} |`;

/**
 * A line for each program: the milliseconds without a cache, and the ratio of each mode to them, with their ranges.
 *
 * @param {Run} run
 * @param {(name: string) => string} idOf
 */
export function ratioTable({ results }, idOf) {
  const ids = PROGRAMS.map(({ name }) => idOf(name));
  const shown = SHOWN.filter((mode) =>
    results.some(
      ({ id, rows: { [mode]: one } }) => ids.includes(id) && one && ('median' in one || isBroken(one)),
    ),
  );
  const lines = PROGRAMS.flatMap(({ name, kind }) => {
    const result = results.find(({ id }) => id === idOf(name));
    const none = result?.rows.none;
    if (result === undefined || none === undefined || 'absent' in none) return [];
    const cells = shown.map((mode) => {
      const one = result.rows[mode];
      if (one === undefined) return '';
      if ('absent' in one) return isBroken(one) ? 'breaks' : '-';
      const range = `${figure(one.min / none.median)}-${figure(one.max / none.median)}`;
      return `${mode === 'warmshard' ? `**${figure(one.median / none.median)}**` : figure(one.median / none.median)} (${range})`;
    });
    return row([
      name,
      kind,
      `${figure(none.median)} (${figure(none.min)}-${figure(none.max)})`,
      ...cells,
      best(result),
    ]);
  });
  if (lines.length === 0) return '';
  const means = shown.map((mode) => {
    const all = ratios(results, mode, ['none'], undefined, idOf);
    return all.length === 0
      ? ''
      : `${figure(geometric(all.map(({ ratio }) => ratio)))} (${all.length} programs)`;
  });
  return [
    row(['program', 'modules', 'none, ms', ...shown, 'warmshard / better of none and built-in']),
    row(['---', '---', '---:', ...shown.map(() => '---:'), '---:']),
    ...lines,
    row(['geometric mean', '', '', ...means, '']),
  ].join('\n');
}

/** @param {import('../../lib/context.mjs').Result} result */
function best(result) {
  const known = ['none', 'built-in'].flatMap((mode) => medianOf(result, mode) ?? []);
  return figure((medianOf(result, 'warmshard') ?? Number.NaN) / Math.min(...known));
}

/** A title and a table, or nothing if the table is empty. @param {string} title @param {string} table */
const part = (title, table) => (table === '' ? [] : [`**${title}**`, table]);

/** All tables of one run. @param {Run} run */
export function tables(run) {
  return [
    ...part('Warm runs, times compared with none', ratioTable(run, warmOf)),
    ...part('First runs, times compared with none', ratioTable(run, firstOf)),
    ...run.results.filter(({ id }) => [EMPTY, FIRST, SECOND].includes(id)).map(caseTable),
    ...brokenList(run),
  ].join('\n\n');
}

/** @param {Run} run */
function brokenList({ results }) {
  const lines = results.flatMap(({ title, rows }) =>
    Object.entries(rows).flatMap(([mode, one]) =>
      'absent' in one && isBroken(one) && !/first run/.test(title)
        ? `- ${title}: ${mode}: ${one.absent}`
        : [],
    ),
  );
  return lines.length === 0 ? [] : ['**Programs that a cache breaks**', lines.join('\n')];
}

/** @param {Run} run */
export function markdown(run) {
  return `${machineLine(run.machine)}; ${run.mode} run of ${Math.round(run.seconds)} s, ${run.rounds} interleaved rounds.

Wall time of whole processes, medians (minimum and maximum in brackets); page cache warm. Rounds that other programs
disturbed are dropped and repeated; "noisy" ones were disturbed, too, but count because there were too few others.

${tables(run)}

${run.goals.length === 0 ? '' : goalTable(run.goals)}
${run.notes.map((note) => `\n- ${note}`).join('')}`;
}
