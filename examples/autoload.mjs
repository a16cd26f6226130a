// 16,384 functions, compiled to V8 bytecode once and kept by name in one file, as a shell or a language with autoloading does it.
//
//   node examples/autoload.mjs
//
// The functions are those of the packages in node_modules. The first process finds all of them missing, compiles them
// and commits them at once. The second one needs a hundred more and compiles only those. The third one compiles nothing
// and uses everything. Exits with 1 if anything differs.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';
import { parse } from 'acorn';
import { AutoloadCache } from 'warmshard';

const COUNT = 16_384;
const MORE = 100;

/** @typedef {[name: string, source: string]} Func */

/** The first `count` functions of the packages in `dir`. @param {string} dir @param {number} count @returns {Func[]} */
function collect(dir, count) {
  /** @type {Func[]} */
  const found = [];
  const files = readdirSync(dir, { recursive: true, encoding: 'utf8' });
  for (const file of files.filter((name) => /\.c?js$/.test(name)).sort()) {
    const text = readFileSync(join(dir, file), 'utf8');
    const before = found.length;
    try {
      const tree = parse(text, {
        ecmaVersion: 'latest',
        sourceType: 'script',
        allowReturnOutsideFunction: true,
      });
      walk(tree, (node) => {
        const source = text.slice(node.start, node.end);
        if (isAlone(source)) found.push([`${relative(dir, file)}:${node.start}`, source]);
      });
    } catch {
      // An ES module, or not JavaScript: the other files are enough.
      found.length = before;
    }
    if (found.length >= count) return found.slice(0, count);
  }
  throw new Error(`there are only ${found.length} functions in ${dir}`);
}

/** Whether a function compiles without what is around it. @param {string} source */
function isAlone(source) {
  if (source.length < 40 || source.length > 20_000) return false;
  try {
    new Script(`(${source})`);
    return true;
  } catch {
    return false;
  }
}

/** @typedef {{ type?: string, start: number, end: number }} Node */

/** @param {unknown} node @param {(node: Node) => void} visit */
function walk(node, visit) {
  if (Array.isArray(node)) for (const child of node) walk(child, visit);
  else if (typeof node === 'object' && node !== null) {
    const it = /** @type {Node} */ (node);
    if (it.type === 'FunctionDeclaration') visit(it);
    for (const child of Object.values(node)) if (typeof child === 'object') walk(child, visit);
  }
}

/** What a process that needs these functions does. @param {string} shard @param {Func[]} functions */
function autoload(shard, functions) {
  const took = timer();
  const cache = AutoloadCache.open(shard, { host: { name: 'autoload-example', version: process.version } });
  const sources = new Map(functions);
  const missing = cache.missing(sources.keys());
  const asked = took();
  const writer = cache.writer();
  for (const name of missing) writer.add(name, new Script(`(${sources.get(name)})`).createCachedData());
  const compiled = took();
  const { generation } = cache.stats();
  writer.commit();
  const committed = took();
  const published = cache.stats().generation - generation;
  let wrong = 0;
  for (const [name, source] of functions) {
    const cachedData = cache.get(name);
    const script = new Script(`(${source})`, { cachedData });
    if (cachedData === undefined || script.cachedDataRejected || `${script.runInThisContext()}` !== source)
      wrong++;
  }
  const entries = cache.entryCount;
  cache.close();
  return {
    missing: missing.length,
    lastMissing: missing.at(-1),
    published,
    wrong,
    entries,
    ms: { asked, compiled, committed, used: took() },
  };
}

/** Milliseconds since the last call. */
function timer() {
  let last = process.hrtime.bigint();
  return () => {
    const now = process.hrtime.bigint();
    const ms = Number(now - last) / 1e6;
    last = now;
    return ms;
  };
}

const [, , role, shard, list] = process.argv;
if (role === 'autoload') {
  const functions = JSON.parse(readFileSync(/** @type {string} */ (list), 'utf8'));
  process.stdout.write(JSON.stringify(autoload(/** @type {string} */ (shard), functions)));
} else {
  const dir = mkdtempSync(join(tmpdir(), 'warmshard-example-'));
  process.on('exit', () => rmSync(dir, { recursive: true, force: true }));
  const all = collect(fileURLToPath(new URL('../node_modules', import.meta.url)), COUNT + MORE);
  writeFileSync(join(dir, 'some.json'), JSON.stringify(all.slice(0, COUNT)));
  writeFileSync(join(dir, 'all.json'), JSON.stringify(all));
  /** @param {string} list @returns {ReturnType<typeof autoload>} */
  const run = (list) => {
    const args = [fileURLToPath(import.meta.url), 'autoload', join(dir, 'functions.shard'), join(dir, list)];
    return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
  };
  const runs = [run('some.json'), run('all.json'), run('all.json')];
  for (const [i, { missing, entries, ms }] of runs.entries()) {
    const times = Object.entries(ms).map(([what, time]) => `${what} ${time.toFixed(1)}`);
    console.log(`process ${i + 1}: ${missing} missing, ${entries} functions; ms: ${times.join(', ')}`);
  }
  const expected = [
    { missing: COUNT, lastMissing: all[COUNT - 1]?.[0], published: 1, wrong: 0, entries: COUNT },
    { missing: MORE, lastMissing: all.at(-1)?.[0], published: 1, wrong: 0, entries: COUNT + MORE },
    { missing: 0, published: 0, wrong: 0, entries: COUNT + MORE },
  ];
  for (const [i, { ms, ...got }] of runs.entries())
    if (JSON.stringify(got) !== JSON.stringify(expected[i])) {
      console.error(`process ${i + 1}: expected ${JSON.stringify(expected[i])}, got ${JSON.stringify(got)}`);
      process.exitCode = 1;
    }
}
