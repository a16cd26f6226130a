// A program under `warmshard/register`. Whatever happens to its cache, it must do what it does without one.

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { FOR_EVER } from './patience.mjs';

const REGISTER = createRequire(import.meta.url).resolve('warmshard/register');

/** @type {Record<string, string>} */
const FILES = {
  'main.js': `
    const { sum, fail } = require('./lib/sum');
    const data = require('./data.json');
    const { twice } = require('dep/twice');
    console.log(sum(data.numbers), twice('ab'), require('./lib').name, module.children.length);
    for (let i = 0; i < 40; i++) console.log(require('./many/' + i)(i));
    try { fail(); } catch (error) { console.log(error.stack); }
    try { require('./absent'); } catch (error) { console.log(error.message); }
    process.exitCode = 3;`,
  'data.json': '{ "numbers": [1, 2, 3] }',
  'lib/sum.js': `
    exports.sum = (all) => all.reduce((a, b) => a + b, 0);
    exports.fail = function fail() { throw new RangeError('on purpose'); };`,
  'lib/index.js': `exports.name = __filename.slice(-12) + typeof require.cache;`,
  'node_modules/dep/package.json': '{ "name": "dep", "exports": { "./twice": "./src/two.js" } }',
  'node_modules/dep/src/two.js': `exports.twice = (text) => text + text;`,
  ...Object.fromEntries(
    Array.from({ length: 40 }, (_, i) => [`many/${i}.js`, `module.exports = (n) => 'module ${i} of ' + n;`]),
  ),
};

/** @typedef {{ out: string, how: string }} Ran */

export class Program {
  /** @param {string} dir */
  constructor(dir) {
    this.dir = dir;
    for (const [name, text] of Object.entries(FILES)) {
      mkdirSync(`${dir}/${name}`.replace(/\/[^/]*$/, ''), { recursive: true });
      writeFileSync(`${dir}/${name}`, text);
    }
  }

  /**
   * Runs the program.
   *
   * @param {string} [home] the folder of its cache; without it, the program runs without warmshard
   * @param {NodeJS.ProcessEnv} [env]
   * @returns {Promise<Ran>}
   */
  run(home, env = {}) {
    const main = `${this.dir}/main.js`;
    const child = spawn(process.execPath, home ? ['-r', REGISTER, main] : [main], {
      env: { PATH: process.env.PATH, HOME: this.dir, WARMSHARD_HOME: home, WARMSHARD_EAGER: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let out = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        out += chunk;
      });
    }
    const timer = setTimeout(() => child.kill('SIGKILL'), FOR_EVER);
    return new Promise((done) =>
      child.on('close', (code, signal) => {
        clearTimeout(timer);
        done({ out, how: `${signal ?? code}` });
      }),
    );
  }

  /** Fills a cache. Throws if the program's output changes, or if it leaves no cache. @param {string} home */
  async warm(home) {
    mkdirSync(home, { recursive: true, mode: 0o700 });
    const plain = await this.run();
    for (let i = 0; i < 3; i++) differs(plain, await this.run(home)).forEach(fail);
    if (!existsSync(`${home}/programs.shard`)) throw new Error('the program left no cache behind');
    return plain;
  }
}

/** @param {string} what */
function fail(what) {
  throw new Error(what);
}

/**
 * How a run differs from one without warmshard.
 *
 * @param {Ran} plain
 * @param {Ran} ran
 * @returns {string[]}
 */
export function differs(plain, ran) {
  if (plain.out === ran.out && plain.how === ran.how) return [];
  const at = [...plain.out].findIndex((letter, i) => letter !== ran.out[i]);
  return [
    `ended with ${ran.how}, not ${plain.how}; printed ${JSON.stringify(ran.out.slice(Math.max(0, at - 20), at + 300))}`,
  ];
}
