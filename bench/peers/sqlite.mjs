// SQLite through two bindings, with a write-ahead log and a memory-mapped file, which is the fastest way to read it.

import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(import.meta.url);

/** Not literals, so that TypeScript does not look for type declarations, which are missing. @type {string} */
const BETTER = 'better-sqlite3';
/** @type {string} */
const BUILT_IN = 'node:sqlite';

/** @param {boolean} sync */
const pragmas = (sync) => [
  'PRAGMA journal_mode = WAL',
  `PRAGMA synchronous = ${sync ? 'FULL' : 'NORMAL'}`,
  'PRAGMA mmap_size = 17179869184',
  'PRAGMA busy_timeout = 5000',
];
const CREATE = 'CREATE TABLE IF NOT EXISTS kv (k TEXT PRIMARY KEY, v BLOB)';
const GET = 'SELECT v FROM kv WHERE k = ?';
const PUT = 'INSERT OR REPLACE INTO kv VALUES (?, ?)';

/**
 * The functions that both bindings have.
 *
 * @typedef {object} Database
 * @property {(sql: string) => unknown} exec
 * @property {(sql: string) => { get(key: string): any, run(key: string, value: Buffer): unknown }} prepare
 * @property {() => void} close
 */

/** @param {Database} db @param {(key: string) => unknown} get @returns {import('./index.mjs').Store} */
function store(db, get) {
  const put = db.prepare(PUT);
  /** @param {[string, Buffer][]} entries */
  const load = (entries, first = '') => {
    db.exec(`BEGIN IMMEDIATE; ${first}`);
    for (const [key, value] of entries) put.run(key, value);
    db.exec('COMMIT');
  };
  return {
    get,
    put: (key, value) => put.run(key, value),
    load: (entries) => load(entries),
    replace: (entries) => load(entries, 'DELETE FROM kv'),
    compact: () => db.exec('VACUUM; PRAGMA wal_checkpoint(TRUNCATE)'),
    close: () => db.close(),
  };
}

/** @param {Database} db */
function prepare(db, sync = false) {
  for (const pragma of pragmas(sync)) db.exec(pragma);
  db.exec(CREATE);
  return db;
}

/** @param {string} folder @param {import('./index.mjs').StoreOptions} options */
export function openBetter(folder, { sync }) {
  const Better = require(BETTER);
  const db = prepare(new Better(join(folder, 'bench.sqlite')), sync);
  const statement = /** @type {any} */ (db.prepare(GET)).pluck();
  return store(db, (key) => statement.get(key));
}

/** @param {string} folder @param {import('./index.mjs').StoreOptions} options */
export function openNode(folder, { sync }) {
  const { DatabaseSync } = require(BUILT_IN);
  const db = prepare(new DatabaseSync(join(folder, 'bench.sqlite')), sync);
  const statement = db.prepare(GET);
  return store(db, (key) => statement.get(key)?.v);
}
