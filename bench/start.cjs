// A fresh process: loads one peer, opens its store, gets one key, and prints what each step cost in microseconds. It
// loads nothing else, so that the whole process can be compared with an empty one.
//
//   node start.cjs PEER FOLDER KEY [memory]

const { readFileSync } = require('node:fs');

const [, , peer = '', folder = '', key = '', memory] = process.argv;

/** Private memory in KiB, if asked for. `Anonymous` is used because `Private_Dirty` would include dirty pages of the file. */
function anonymous() {
  if (memory === undefined) return 0;
  return Number(/^Anonymous: +(\d+)/m.exec(readFileSync('/proc/self/smaps_rollup', 'latin1'))?.[1]);
}

/** `require` for modules without type declarations. @type {(name: string) => any} */
const load = (name) => require(name);

/** @type {(started: bigint) => number} */
const since = (started) => Number(process.hrtime.bigint() - started) / 1000;

/**
 * How a program loads each peer, and how it then opens a store and gets a key.
 *
 * @type {Record<string, [load: () => any, get: (loaded: any) => any]>}
 */
const PEERS = {
  empty: [() => 0, () => '-'],
  warmshard: [() => require('warmshard'), ({ Shard }) => Shard.open(`${folder}/bench.shard`).get(key)],
  'lmdb getBinaryFast': [
    () => require('lmdb'),
    ({ open }) => open({ path: `${folder}/data.mdb`, encoding: 'binary' }).getBinaryFast(key),
  ],
  'better-sqlite3': [
    () => load('better-sqlite3'),
    (Database) =>
      new Database(`${folder}/bench.sqlite`).prepare('SELECT v FROM kv WHERE k = ?').pluck().get(key),
  ],
  'node:sqlite': [
    () => load('node:sqlite'),
    ({ DatabaseSync }) =>
      new DatabaseSync(`${folder}/bench.sqlite`).prepare('SELECT v FROM kv WHERE k = ?').get(key).v,
  ],
  'classic-level': [
    () => require('classic-level'),
    async ({ ClassicLevel }) => {
      const db = new ClassicLevel(folder, { valueEncoding: 'view' });
      await db.open();
      return db.getSync(key);
    },
  ],
  'one file per entry': [
    () => require('node:fs'),
    ({ readFileSync }) => readFileSync(`${folder}/${key.replaceAll('/', '_')}`),
  ],
  'flat-cache': [
    () => import('flat-cache'),
    ({ FlatCache }) => {
      const cache = new FlatCache({ cacheDir: folder, cacheId: 'bench', ttl: 0 });
      cache.load('bench');
      return Buffer.from(cache.getKey(key), 'base64');
    },
  ],
  'keyv + sqlite': [
    () => Promise.all([import('keyv'), import('@keyv/sqlite')]),
    async ([{ Keyv }, { KeyvSqlite }]) =>
      new Keyv({ store: new KeyvSqlite({ uri: `sqlite://${folder}/bench.sqlite` }) }).get(key),
  ],
  cacache: [() => load('cacache'), async (cacache) => (await cacache.get(folder, key)).data],
  // Only warmshard's addon; FOLDER is its path.
  dlopen: [() => process.dlopen(/** @type {any} */ ({ exports: {} }), folder), () => '-'],
};

async function run() {
  const [bring, get] = PEERS[peer] ?? [];
  let started = process.hrtime.bigint();
  let loaded = bring?.();
  if (loaded instanceof Promise) loaded = await loaded;
  const required = since(started);
  // The first call allocates memory of its own, which must not count.
  anonymous();
  const before = anonymous();
  started = process.hrtime.bigint();
  let value = get?.(loaded);
  if (value instanceof Promise) value = await value;
  const opened = since(started);
  if (!value?.length) throw new Error(`${peer} did not find ${key}`);
  const kept = anonymous() - before;
  // Not earlier: the first use of `process.stdout` loads half a MiB of Node.js itself.
  process.stdout.write(JSON.stringify({ required, opened, private: kept }));
  // Some peers would keep the process alive.
  process.exit(0);
}

run();
