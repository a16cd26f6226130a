// Runs Node.js' own tests of its module loader without `warmshard/register`, with an empty shard, and twice with a full
// one: what passes without it must pass with it. It needs the source of Node.js, of about the version that runs this.
//
//   npm run test:node-suite -- FOLDER_OF_NODE_SOURCE [--only PATTERN]
//
// Not a part of `npm test`, because that source is not in any package.

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const register = fileURLToPath(new URL('../dist/register.cjs', import.meta.url));

/** Of `test/parallel`, which has thousands. */
const ABOUT_LOADING = /parallel\/test-.*(module|require|compile-cache|preload|source-map|cjs|esm|main)/;
/** Lists the built-in modules that an empty program has loaded. */
const DIFFERENT = ['test/parallel/test-bootstrap-modules.js'];
const TIMEOUT_MS = 60_000;
const MAX_OUTPUT = 4000;

const { values, positionals } = parseArgs({ options: { only: { type: 'string' } }, allowPositionals: true });
const [source = ''] = positionals;
const only = new RegExp(values.only ?? '');
const tests = ['test/es-module', 'test/module-hooks', 'test/parallel']
  .filter((folder) => existsSync(join(source, folder)))
  .flatMap((folder) => readdirSync(join(source, folder)).map((name) => `${folder}/${name}`))
  .filter((test) => /\/test-.*\.m?js$/.test(test) && only.test(test))
  .filter((test) => !test.includes('/parallel/') || ABOUT_LOADING.test(test))
  .sort();
if (tests.length === 0) {
  console.error(`no tests found. Usage: npm run test:node-suite -- FOLDER_OF_NODE_SOURCE [--only PATTERN]`);
  process.exit(2);
}

const base = mkdtempSync(join(tmpdir(), 'warmshard-node-suite-'));

/**
 * Runs a test with the options that its comments ask for.
 *
 * @param {string} test @param {string | undefined} home of the shard; none: without warmshard
 * @param {number} worker tests that run side by side have folders of their own
 * @returns {Promise<{ code: number | NodeJS.Signals | null, output: string }>}
 */
function run(test, home, worker) {
  const text = readFileSync(join(source, test), 'utf8');
  const flags = [...text.matchAll(/^\/\/ Flags: (.*)$/gm)].flatMap(([, line = '']) =>
    line.trim().split(/\s+/),
  );
  const preload = home === undefined ? [] : ['-r', register];
  const env = {
    ...process.env,
    NODE_TEST_DIR: base,
    TEST_THREAD_ID: String(worker),
    ...(home !== undefined && { WARMSHARD_HOME: home, WARMSHARD_EAGER: '1' }),
  };
  const child = spawn(process.execPath, [...preload, ...flags, test], {
    cwd: source,
    env,
    timeout: TIMEOUT_MS,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (part) => {
      output = (output + part).slice(0, MAX_OUTPUT);
    });
  return new Promise((resolve) => {
    child.on('close', (code, signal) => resolve({ code: signal ?? code, output }));
  });
}

const counts = { same: 0, failing: 0, different: 0 };

/** @param {string} test @param {number} worker */
async function compare(test, worker) {
  if ((await run(test, undefined, worker)).code !== 0) {
    counts.failing++;
    return;
  }
  const home = mkdtempSync(join(base, 'home-'));
  for (const when of ['cold', 'warm', 'warm again']) {
    const { code, output } = await run(test, home, worker);
    if (code === 0) continue;
    if (DIFFERENT.includes(test)) break;
    counts.different++;
    console.log(`✘ ${test}, ${when}: ${code}\n${output.replace(/^/gm, '    ')}`);
    return;
  }
  counts.same++;
  console.log(`✔ ${test}`);
}

const queue = tests.entries();
await Promise.all(
  Array.from({ length: availableParallelism() }, async (_, worker) => {
    for (const [, test] of queue) await compare(test, worker);
  }),
);
rmSync(base, { recursive: true, force: true, maxRetries: 3 });
console.log(
  `${counts.same} tests pass with warmshard as without it, ${counts.different} do not; ${counts.failing} fail without it`,
);
process.exitCode = counts.different === 0 ? 0 : 1;
