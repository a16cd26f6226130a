// A template compiler (Eta) whose output is cached: JavaScript and V8's bytecode, two parts of one entry.
//
//   node examples/script-cache.mjs
//
// Two processes render the same pages: the first one compiles, the second one loads everything. Exits with 1 if a single
// byte of the rendered pages differs, or if the second one compiles anything.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';
import { Eta } from 'eta';
import { ScriptCache } from 'warmshard';
import { DATA, PAGES } from './data.mjs';

const templates = fileURLToPath(new URL('templates', import.meta.url));
const { version } = createRequire(import.meta.url)('eta/package.json');

/**
 * Eta with a cache below it.
 *
 * @param {ScriptCache<'js' | 'bytecode'>} cache
 */
function cachedEta(cache) {
  const eta = new Eta({ views: templates, cache: true });
  /** @type {Map<string, { js: string, script: Script }>} compiled in this process */
  const fresh = new Map();
  /** @type {Record<'js' | 'bytecode', Uint8Array> | undefined} */
  let found;
  const readFile = eta.readFile?.bind(eta);
  // First the look-up, then the file: `save` then stores only what was compiled from the file as `load` found it.
  eta.readFile = (path) => {
    found = cache.load(path);
    return found === undefined ? (readFile?.(path) ?? '') : '';
  };
  eta.compile = (text, options) => {
    const path = options?.filepath ?? '';
    const js = found
      ? Buffer.from(found.js).toString()
      : `(function (${eta.config.varName}, options) {${eta.compileToString(text, options)}\n})`;
    const script = new Script(js, { filename: path, ...(found && { cachedData: found.bytecode }) });
    if (!found || script.cachedDataRejected) fresh.set(path, { js, script });
    return script.runInThisContext();
  };
  return { eta, fresh };
}

/** Renders every page, in this process. @param {string} shard */
function render(shard) {
  const started = process.hrtime.bigint();
  const cache = ScriptCache.open(shard, {
    // Eta makes the JavaScript, Node.js the bytecode: both versions count.
    host: { name: 'eta', version: `${version}, Node.js ${process.version}` },
    parts: ['js', 'bytecode'],
  });
  const { eta, fresh } = cachedEta(cache);
  const html = PAGES.map((page) => eta.render(`./${page}`, { ...DATA, page }));
  const ms = Number(process.hrtime.bigint() - started) / 1e6;
  // Only now: bytecode that is taken after the templates have run includes the functions within them.
  for (const [path, { js, script }] of fresh) {
    const saved = cache.save(path, { js: Buffer.from(js), bytecode: script.createCachedData() });
    if (!saved) throw new Error(`${path} was not saved: ${cache.stats().lastSkip}`);
  }
  const { hits, misses, entries, bytes } = cache.stats();
  cache.close();
  return { html, ms, compiled: fresh.size, hits, misses, entries, bytes };
}

const [, , role, shard] = process.argv;
if (role === 'render') {
  process.stdout.write(JSON.stringify(render(/** @type {string} */ (shard))));
} else {
  const dir = mkdtempSync(join(tmpdir(), 'warmshard-example-'));
  process.on('exit', () => rmSync(dir, { recursive: true, force: true }));
  const self = fileURLToPath(import.meta.url);
  /** @returns {ReturnType<typeof render>} */
  const run = () => {
    const args = [self, 'render', join(dir, 'templates.shard')];
    return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
  };
  const [first, second] = [run(), run()];
  const plain = new Eta({ views: templates });
  const expected = PAGES.map((page) => plain.render(`./${page}`, { ...DATA, page }));
  for (const [name, { compiled, hits, ms, entries, bytes }] of Object.entries({ first, second }))
    console.log(
      `${name} process: ${compiled} templates compiled, ${hits} loaded, ${PAGES.length} pages in ${ms.toFixed(1)} ms; ${entries} entries, ${bytes} bytes`,
    );
  const same = [first, second].every((run) => run.html.every((page, i) => page === expected[i]));
  if (!same) console.error('What was rendered differs.');
  const warm = second.compiled === 0 && second.misses === 0 && second.hits === first.compiled;
  if (!warm) console.error('The second process compiled what was there.');
  process.exitCode = same && warm ? 0 : 1;
}
