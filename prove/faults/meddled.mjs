// A host whose files are changed while it has them open: see underneath.mjs. If it is started as root it becomes another user,
// because root ignores file permissions.

import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { Shard, WarmshardError } from 'warmshard';
import { bytesOf, tagOf } from '../lib/values.mjs';

const [access, deed, at] = /** @type {['mmap' | 'read', string, string]} */ (process.argv.slice(2));
const NOBODY = 65534;
if (process.getuid?.() === 0) {
  chownSync(at, NOBODY, NOBODY);
  process.setgroups?.([]);
  process.setegid?.(NOBODY);
  process.seteuid?.(NOBODY);
}
const path = `${at}/folder/a.shard`;
/** @param {boolean} [readOnly] */
const open = (readOnly = false) => Shard.open(path, { access, lockTimeout: 60_000, readOnly });
const keys = Array.from({ length: 40 }, (_, i) => `key ${i}`);
const shard = open();
for (const [tag, key] of keys.entries()) shard.put(key, bytesOf(key, tag));
shard.flush();
const reader = open(true);

/** @type {Record<string, () => void>} */
const DEEDS = {
  chmod: () => chmodSync(path, 0o000),
  'folder chmod': () => chmodSync(`${at}/folder`, 0o000),
  delete: () => rmSync(path),
  'delete both': () => {
    rmSync(path);
    rmSync(`${path}.lock`);
  },
  replace: () => {
    copyFileSync(path, `${at}/other`);
    renameSync(`${at}/other`, path);
  },
  rubbish: () => {
    writeFileSync(`${at}/other`, 'rubbish', { mode: 0o600 });
    renameSync(`${at}/other`, path);
  },
  link: () => {
    renameSync(path, `${at}/other`);
    symlinkSync(`${at}/other`, path);
  },
  cut: () => truncateSync(path, 8192),
  'cut to nothing': () => truncateSync(path, 0),
  'remove the folder': () => rmSync(`${at}/folder`, { recursive: true }),
};
DEEDS[deed]?.();

/** @param {() => void} work */
const may = (work) => {
  try {
    work();
    return true;
  } catch (error) {
    if (!(error instanceof WarmshardError)) throw error;
    return false;
  }
};
const until = Date.now() + 600;
for (let round = 0; round === 0 || Date.now() < until; round++) {
  for (const handle of [shard, reader]) {
    for (const key of keys) {
      const value = handle.get(key);
      if (value !== undefined) tagOf(key, value);
    }
    handle.list();
    may(() => handle.verify());
  }
  may(() => shard.put('new', bytesOf('new', round)));
  may(() =>
    shard.mergeIn([
      ['new 1', bytesOf('new 1', round)],
      ['new 2', bytesOf('new 2', round)],
    ]),
  );
  may(() => shard.delete('new'));
  may(() => shard.compact());
}
// Undo the deed. From now on everything that is flushed must be found again.
if (existsSync(`${at}/folder`)) chmodSync(`${at}/folder`, 0o700);
if (deed === 'link') rmSync(path);
else if (existsSync(path)) chmodSync(path, 0o600);
await new Promise((done) => setTimeout(done, 300));
shard.put('last', bytesOf('last', 7));
shard.flush();
const again = open();
if (tagOf('last', again.get('last') ?? new Uint8Array(0)) !== 7)
  throw new Error('a flushed entry is not found');
if (!again.verify().ok) throw new Error(JSON.stringify(again.verify()));
// No entry may be lost because permissions were taken away for a while, or because the file was replaced by a copy.
if (deed.includes('chmod') || deed === 'replace')
  for (const [tag, key] of keys.entries())
    if (tagOf(key, again.get(key) ?? new Uint8Array(0)) !== tag) throw new Error(`${key} is gone`);
