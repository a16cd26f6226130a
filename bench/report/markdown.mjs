// Writes the figures of a run as Markdown.

/** Share of noisy rounds from which on the report contains a warning. */
const WORTH_A_WARNING = 0.05;

/** @param {number} value */
export function figure(value) {
  if (!Number.isFinite(value)) return '-';
  const size = Math.abs(value);
  if (size >= 100) return Math.round(value).toLocaleString('en');
  return value.toFixed(size >= 10 ? 1 : 2);
}

/** @typedef {import('../lib/context.mjs').Result} Result */

/** @param {Result} result @param {string} name */
export function medianOf({ rows }, name) {
  const row = rows[name];
  return row && 'median' in row ? row.median : undefined;
}

/** A warning if other programs kept the processors busy, or `undefined`. @param {readonly Result[]} results */
export function noise(results) {
  const figures = results
    .flatMap(({ rows }) => Object.values(rows))
    .flatMap((row) => ('median' in row ? row : []));
  const all = figures.reduce((sum, row) => sum + row.rounds, 0);
  const noisy = figures.reduce((sum, row) => sum + row.noisy, 0);
  if (noisy / all < WORTH_A_WARNING) return undefined;
  return `**Other programs used the processors in ${noisy} of the ${all} rounds that count: absolute figures are too high.**`;
}

/** The table of one case. @param {Result} result */
export function caseTable(result) {
  const ours = medianOf(result, 'warmshard');
  const lines = [
    `**${result.title}** (${result.unit})`,
    '',
    '| | median | min | max | / warmshard | rounds |',
    '| --- | ---: | ---: | ---: | ---: | ---: |',
  ];
  for (const [name, row] of Object.entries(result.rows)) {
    if ('absent' in row) {
      lines.push(`| ${name} | ${row.absent} | | | | |`);
      continue;
    }
    const { median, min, max, rounds, noisy, dropped } = row;
    const ratio = ours === undefined || ours === 0 ? '' : figure(median / ours);
    const all = `${rounds}${noisy ? ` (${noisy} noisy)` : ''}${dropped ? `, ${dropped} dropped` : ''}`;
    const shown = name === 'warmshard' ? '**warmshard**' : name;
    lines.push(`| ${shown} | ${figure(median)} | ${figure(min)} | ${figure(max)} | ${ratio} | ${all} |`);
  }
  return lines.join('\n');
}

/**
 * @typedef {Pick<import('../goals.mjs').Verdict, 'what' | 'by' | 'value' | 'unit' | 'side' | 'bound' | 'met'>} Verdict
 *
 * @param {readonly Verdict[]} verdicts
 */
export function goalTable(verdicts) {
  return [
    '| goal | through | measured | bound | |',
    '| --- | --- | ---: | ---: | --- |',
    ...verdicts.map(
      ({ what, by, value, unit, side, bound, met }) =>
        `| ${what} | ${by === 'door' ? 'the fast door' : by === 'plain' ? 'Node-API' : ''} | ${figure(value)} ${unit} | ${side === 'most' ? '<=' : '>='} ${figure(bound)} ${unit} | ${met ? 'met' : '**missed**'} |`,
    ),
  ].join('\n');
}

/** @param {{ processor: string, cores: number, virtual: boolean, memoryGiB: number, system: string, fileSystem: string, node: string }} machine */
export function machineLine({ processor, cores, virtual, memoryGiB, system, fileSystem, node }) {
  const kind = virtual ? 'virtual machine with ' : '';
  return `${kind}${cores} cores (${processor}), ${memoryGiB} GiB, ${system}, ${fileSystem}; Node.js ${node}`;
}

/** @param {import('../main.mjs').Run} run */
export function markdown(run) {
  const notes = run.notes.map((note) => `- ${note}`).join('\n');
  return `${machineLine(run.machine)}; ${run.mode} run of ${Math.round(run.seconds)} s, ${run.rounds} interleaved rounds.

60-character keys; page cache warm; medians. Rounds that other programs disturbed are dropped and repeated; "noisy"
ones were disturbed, too, but count because there were too few others. Keys are string objects that were used before,
unless the case says otherwise.

${run.results.map(caseTable).join('\n\n')}

${goalTable(run.goals)}
${notes && `\n${notes}\n`}`;
}
