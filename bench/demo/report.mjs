// What came out, for people.

import Table from 'cli-table3';

const number = (/** @type {number} */ value, digits = 0) =>
  value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
const megabytes = (/** @type {number} */ bytes) => number(bytes / 1e6, 1);

/** @param {import('./demonstrate.mjs').Report} report */
export function format(report) {
  const table = new Table({
    head: ['', 'files', 'source MB', 'compile ms', 'warm load ms', 'speed-up'],
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [] },
  });
  for (const row of report.rows)
    table.push([
      row.name,
      number(row.files),
      megabytes(row.sourceBytes),
      number(row.compileMs, 1),
      number(row.warmLoadMs, 1),
      `${number(row.speedUp, 1)} x`,
    ]);
  const { behaviour } = report;
  const skipped = Object.entries(report.skipped).map(([reason, files]) => `${number(files)} ${reason}`);
  const problems = [...report.missing, ...report.rejected, ...behaviour.differences];
  return `${table}

compile:    V8 compiles the source. Warm load: stat, get, and V8 takes the stored bytecode. Medians of ${report.runs} fresh
            processes each; both also read the sources, in ${number(report.readMs)} ms.
one hit:    ${number(report.nsPerHit)} ns, get alone
shard:      ${megabytes(report.fileBytes)} MB for ${megabytes(report.bytecodeBytes)} MB of bytecode; published and flushed in ${number(report.publishMs)} ms
skipped:    ${skipped.join(', ') || 'none'}
behaviour:  ${number(behaviour.texts)} functions compared by their text; ${behaviour.executed.length} packages run both ways
            (${behaviour.executed.join(', ')}; ${number(behaviour.scripts)} scripts)
result:     ${report.ok ? 'everything was loaded from the shard and behaves as compiled from source' : `${problems.length} differ:`}
${problems
  .slice(0, 20)
  .map((problem) => `            ${problem}\n`)
  .join('')}`;
}
