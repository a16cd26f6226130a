// Artifacts of a compiler: 10,000 of 4 KiB, stored as packs or as two files each.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { ArtifactStore } from 'warmshard';
import { sample, summary } from '../lib/measure.mjs';

const BYTES = 4096;

/**
 * @param {{ dir: string, rounds: number, count: number, pack: boolean }} options
 * @returns {Promise<Record<string, import('../lib/measure.mjs').Figures>>} us where the name ends in "us each", else ms
 */
export async function artifacts({ dir, rounds, count, pack }) {
  const keys = Array.from({ length: count }, (_, i) => i.toString(16).padStart(64, '0'));
  const outputs = Array.from({ length: pack ? 1 : 2 }, (_, i, all = pack ? 1 : 2) =>
    new Uint8Array(BYTES / all).fill(i + 1),
  );
  const meta = {
    outputNames: outputs.map((_, i) => `output${i}.o`),
    outputSizes: outputs.map((output) => output.length),
    stderr: 'a.c:1:1: warning: something that compilers say',
  };
  let made = 0;
  const round = () => {
    const path = join(dir, `artifacts-${made++}`);
    let store = ArtifactStore.open(path);
    /** @type {Record<string, number>} */
    const took = {};
    /** @param {string} name @param {() => unknown} run */
    const time = (name, run) => {
      const started = process.hrtime.bigint();
      run();
      const ms = Number(process.hrtime.bigint() - started) / 1e6;
      took[name] = name.endsWith('us each') ? (ms * 1000) / count : ms;
    };
    time('insert, us each', () => {
      for (const key of keys) store.insert(key, meta);
    });
    time('putOutputs, us each', () => {
      for (const [i, key] of keys.entries()) {
        new DataView(/** @type {Uint8Array} */ (outputs[0]).buffer).setUint32(0, i);
        store.putOutputs(key, outputs, { pack });
      }
    });
    time('flush of all', () => store.flush());
    store.close();
    time('open', () => {
      store = ArtifactStore.open(path);
    });
    time('get, us each', () => {
      for (const key of keys) if (store.get(key) === undefined) throw new Error('lost');
    });
    time('output, us each', () => {
      for (const key of keys) if (store.output(key, 0) === undefined) throw new Error('lost');
    });
    time('get, absent, us each', () => {
      for (const key of keys) if (store.get(`${key}?`) !== undefined) throw new Error('made up');
    });
    store.close();
    rmSync(join(path, 'index.shard'));
    time('open without an index, which rebuilds all rows', () => {
      store = ArtifactStore.open(path);
      if (store.size !== count) throw new Error(`${store.size} of ${count} rows`);
    });
    store.close();
    rmSync(path, { recursive: true });
    return took;
  };
  const samples = await sample([{ name: 'warmshard', round }], { rounds, warmups: 1 });
  const kept = samples.get('warmshard')?.kept ?? [];
  const label = `${count.toLocaleString('en')} artifacts${pack ? ', packed' : ', two files each'}`;
  return Object.fromEntries(
    Object.keys(kept[0] ?? {}).map((name) => [
      `${label}: ${name}`,
      { warmshard: summary(kept.map((took) => took[name] ?? Number.NaN)) },
    ]),
  );
}
