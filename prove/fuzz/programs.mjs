// Programs whose cache has damaged files: they must do what they do without a cache, in this run and in the next.

import { cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { differs, Program } from '../lib/program.mjs';
import { random } from '../lib/random.mjs';
import { mutate } from './mutate.mjs';

/**
 * @param {string} dir
 * @param {{ seconds: number, seed: number }} how
 * @returns {Promise<{ runs: number, wrong: string[] }>}
 */
export async function fuzzPrograms(dir, { seconds, seed }) {
  const program = new Program(`${dir}/program`);
  const plain = await program.warm(`${dir}/sound`);
  const deadline = Date.now() + seconds * 1000;
  /** @type {string[]} */
  const wrong = [];
  let runs = 0;
  for (let at = seed; Date.now() < deadline; at++) {
    const next = random(at);
    const home = `${dir}/home`;
    rmSync(home, { recursive: true, force: true });
    cpSync(`${dir}/sound`, home, { recursive: true });
    const files = readdirSync(home).filter((name) => statSync(`${home}/${name}`).isFile());
    for (let i = 0; i <= next(3); i++) {
      // Mostly the shard.
      const name = next(4) === 0 ? files[next(files.length)] : 'programs.shard';
      const bytes = readFileSync(`${home}/${name}`);
      writeFileSync(`${home}/${name}`, mutate(bytes, readFileSync(`${home}/programs.shard`), next));
    }
    for (let time = 1; time <= 2; time++, runs++)
      for (const it of differs(plain, await program.run(home))) wrong.push(`seed ${at}, run ${time}: ${it}`);
  }
  return { runs, wrong };
}
