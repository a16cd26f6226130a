// What the figures are held against. Ratios, where there is a peer to compare with: absolute figures move with the
// machine.

/**
 * @typedef {object} Case
 * @property {string} name
 * @property {string} unit
 * @property {import('./measure.mjs').Figures} figures
 *
 * @typedef {{ what: string, value: number, unit: string, bound: number, side: 'below' | 'above', met: boolean }} Verdict
 */

/** @param {readonly Case[]} cases @returns {Verdict[]} without those whose figures are missing */
export function verdicts(cases) {
  /** @param {string} name @param {string} peer */
  const at = (name, peer) => cases.find((one) => one.name === name)?.figures[peer]?.median ?? Number.NaN;
  /** @param {string} name @param {string} above @param {string} below */
  const ratio = (name, above, below) => at(name, above) / at(name, below);

  /** @type {[what: string, value: number, unit: string, side: 'below' | 'above', bound: number][]} */
  const targets = [
    ['hit at 10k, to the floor with a view', ratio('hit, 10k', 'warmshard', 'floor'), 'x', 'below', 2],
    ['hit at 10k, to Map', ratio('hit, 10k', 'warmshard', 'Map'), 'x', 'below', 2.4],
    ['hit at 10k, faster than lmdb', ratio('hit, 10k', 'lmdb', 'warmshard'), 'x', 'above', 5],
    ['hit at 100k, faster than lmdb', ratio('hit, 100k', 'lmdb', 'warmshard'), 'x', 'above', 2],
    ['put, 10k', at('put', 'warmshard, 10k') / 1000, 'us', 'below', 8],
    ['put, 1M', at('put', 'warmshard, 1M') / 1000, 'us', 'below', 8],
    ['put, 1M to 10k', ratio('put', 'warmshard, 1M', 'warmshard, 10k'), 'x', 'below', 1.25],
    ['open + first get, 10k', at('open + first get', 'warmshard, 10k'), 'us', 'below', 150],
    ['open + first get, 1M', at('open + first get', 'warmshard, 1M'), 'us', 'below', 150],
    ['16,384 x 4 KiB in one batch', at('16,384 x 4 KiB in one batch', 'warmshard'), 'ms', 'below', 150],
    [
      'open + first get, 1M to 10k',
      ratio('open + first get', 'warmshard, 1M', 'warmshard, 10k'),
      'x',
      'below',
      1.25,
    ],
    [
      'anonymous memory of an open, 1M over 10k',
      at('anonymous memory of open', 'warmshard, 1M') - at('anonymous memory of open', 'warmshard, 10k'),
      'KiB',
      'below',
      128,
    ],
  ];
  return targets
    .filter(([, value]) => !Number.isNaN(value))
    .map(([what, value, unit, side, bound]) => ({
      what,
      value,
      unit,
      side,
      bound,
      met: side === 'below' ? value <= bound : value >= bound,
    }));
}
