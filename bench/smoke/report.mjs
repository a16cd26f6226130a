// The figures as Markdown.

import { cpus } from 'node:os';

/** Share of noisy rounds. */
const WORTH_A_WARNING = 0.05;

/** @param {number} value */
export function figure(value) {
  if (!Number.isFinite(value)) return '-';
  const size = Math.abs(value);
  if (size >= 100) return Math.round(value).toLocaleString('en');
  return value.toFixed(size >= 10 ? 1 : 2);
}

/** @param {number} value @param {number | undefined} to */
function ratio(value, to) {
  return to === undefined || to === 0 ? '' : figure(value / to);
}

/** @param {import('./measure.mjs').Figure} figure */
function rounds({ rounds, noisy, dropped }) {
  return `${rounds}${noisy ? ` (${noisy} noisy)` : ''}${dropped ? `, ${dropped} dropped` : ''}`;
}

/**
 * A warning where other processes kept the processors busy.
 *
 * @param {readonly import('./targets.mjs').Case[]} cases
 */
export function noise(cases) {
  const figures = cases.flatMap((one) => Object.values(one.figures));
  const all = figures.reduce((sum, figure) => sum + figure.rounds, 0);
  const noisy = figures.reduce((sum, figure) => sum + figure.noisy, 0);
  if (noisy / all < WORTH_A_WARNING) return undefined;
  return `**Other processes used the processors in ${noisy} of the ${all} rounds that count: absolute figures are too high.**`;
}

/** The machine and the runtime, in a line. */
export function hardware() {
  const [cpu] = cpus();
  return `${cpu?.model.trim() ?? 'unknown processor'}, ${cpus().length} cores; Node.js ${process.version}, ${process.platform} ${process.arch}`;
}

/** @param {readonly import('./targets.mjs').Case[]} cases */
export function caseTable(cases) {
  const lines = [
    '| case | peer | unit | median | min | max | / Map | / lmdb | rounds |',
    '| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |',
  ];
  for (const { name, unit, figures } of cases) {
    const map = figures.Map?.median;
    for (const [peer, f] of Object.entries(figures)) {
      // `lmdb, 10k` is the peer of every warmshard row of its case.
      const lmdb = Object.entries(figures).find(([other]) => other.startsWith('lmdb'))?.[1].median;
      lines.push(
        `| ${name} | ${peer} | ${unit} | ${figure(f.median)} | ${figure(f.min)} | ${figure(f.max)} | ${ratio(f.median, map)} | ${ratio(f.median, lmdb)} | ${rounds(f)} |`,
      );
    }
  }
  return lines.join('\n');
}

/** @param {readonly import('./targets.mjs').Verdict[]} verdicts */
export function verdictTable(verdicts) {
  return [
    '| target | measured | bound | |',
    '| --- | ---: | ---: | --- |',
    ...verdicts.map(
      ({ what, value, unit, side, bound, met }) =>
        `| ${what} | ${figure(value)} ${unit} | ${side === 'below' ? '<=' : '>='} ${bound} ${unit} | ${met ? 'met' : '**behind**'} |`,
    ),
  ].join('\n');
}
