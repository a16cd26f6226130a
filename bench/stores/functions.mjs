// Functions by name: how long an AutoloadCache takes for many thousands of them.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { AutoloadCache } from 'warmshard';
import { perTurn } from '../lib/loops.mjs';
import { sample, summary } from '../lib/measure.mjs';

const HOST = { name: 'bench', version: '1' };

/** Bytes of function number `i`: 200 to 1223. @param {number} i */
const blobBytes = (i) => 200 + ((i * 37) % 1024);

/**
 * @param {{ dir: string, rounds: number, count: number }} options
 * @returns {Promise<Record<string, import('../lib/measure.mjs').Figures>>} ns where the name ends in "ns each", else ms
 */
export async function functions({ dir, rounds, count }) {
  const names = Array.from({ length: count }, (_, i) => `module_${i % 97}::function_${i}`);
  const half = names.map((name, i) => (i % 2 ? name : `${name}?`));
  const blobs = names.map((_, i) => new Uint8Array(blobBytes(i)).fill(i));
  let made = 0;
  const round = () => {
    const path = join(dir, `functions-${made++}`);
    const cache = AutoloadCache.open(path, { host: HOST });
    const writer = cache.writer();
    /** @type {Record<string, number>} */
    const took = {};
    /** @param {string} name @param {() => number} run @param {number} expected */
    const time = (name, run, expected) => {
      const started = process.hrtime.bigint();
      const got = run();
      took[name] = Number(process.hrtime.bigint() - started) / 1e6;
      if (got !== expected) throw new Error(`${name}: ${got} instead of ${expected}`);
    };
    time(
      'writer.add, all',
      () => {
        for (let i = 0; i < count; i++)
          writer.add(/** @type {string} */ (names[i]), /** @type {Uint8Array} */ (blobs[i]));
        return writer.size;
      },
      count,
    );
    time('commit', () => writer.commit(), count);
    time('missing, none of them', () => cache.missing(names).length, 0);
    time('missing, half of them', () => cache.missing(half).length, count / 2);
    time('cachedNames', () => cache.cachedNames().size, count);
    took['get, ns each'] = perTurn(count, () => {
      for (const name of names) if (cache.get(name) === undefined) throw new Error('lost');
    });
    cache.close();
    rmSync(path);
    rmSync(`${path}.lock`);
    return took;
  };
  const samples = await sample([{ name: 'warmshard', round }], { rounds, warmups: 1 });
  const kept = samples.get('warmshard')?.kept ?? [];
  const label = count.toLocaleString('en');
  return Object.fromEntries(
    Object.keys(kept[0] ?? {}).map((name) => [
      `${label} functions: ${name}`,
      { warmshard: summary(kept.map((one) => one[name] ?? Number.NaN)) },
    ]),
  );
}
