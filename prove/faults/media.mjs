// Disks that are full or have no inode left: a small tmpfs, and a small ext4 on a loop device. A store on such a disk must go on
// once there is room again, and must not lose anything that it has acknowledged.

import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { report, skipped } from '../lib/options.mjs';
import { Oracle } from '../lib/oracle.mjs';
import { random } from '../lib/random.mjs';
import { Refusals } from '../lib/refusals.mjs';
import { SUBJECTS } from '../lib/subjects.mjs';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc');

/** @param {string} command @param {string[]} args */
const runs = (command, ...args) => spawnSync(command, args, { stdio: 'ignore' }).status === 0;

/** @type {Record<string, (dir: string, at: string) => boolean>} */
const MEDIA = {
  'a full tmpfs': (_, at) => runs('mount', '-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', at),
  'a tmpfs without inodes': (_, at) =>
    runs('mount', '-t', 'tmpfs', '-o', 'size=8m,nr_inodes=24', 'tmpfs', at),
  'a full ext4': (dir, at) => loop(dir, at, '12M', []),
  'an ext4 without inodes': (dir, at) => loop(dir, at, '16M', ['-N', '32']),
};

/** @param {string} dir @param {string} at @param {string} size @param {string[]} how */
function loop(dir, at, size, how) {
  const image = `${dir}/image`;
  return (
    runs('truncate', '-s', size, image) &&
    runs('mkfs.ext4', '-q', '-F', '-m', '0', ...how, image) &&
    runs('mount', '-o', 'loop', image, at)
  );
}

/** @param {string} dir @param {{ seed: number }} how */
export async function fullDisks(dir, { seed }) {
  for (const [title, mount] of Object.entries(MEDIA)) {
    const own = `${dir}/${title.replaceAll(' ', '-')}`;
    const at = `${own}/disk`;
    mkdirSync(at, { recursive: true });
    if (!mount(own, at)) {
      skipped(title, 'this process cannot mount file systems');
      continue;
    }
    try {
      const { refused, wrong } = await fill(at, seed);
      if (refused === 0) wrong.push('the disk was never full');
      report(title, `${refused} changes refused, all others found`, wrong);
    } finally {
      // Lent windows, and threads that still write, keep the disk busy.
      await until(() => runs('umount', at));
    }
  }
}

/** Collects garbage until a condition holds, for at most half a minute. @param {() => boolean} over */
async function until(over) {
  for (let i = 0; i < 1500 && !over(); i++) {
    gc();
    await new Promise((done) => setTimeout(done, 20));
  }
}

/** @param {string} at @param {number} seed */
async function fill(at, seed) {
  /** @type {string[]} */
  const wrong = [];
  let refused = 0;
  for (const subject of SUBJECTS) {
    const next = random(seed);
    const oracle = new Oracle();
    const dir = `${at}/${subject.name.replaceAll(/\W+/g, '-')}`;
    mkdirSync(dir);
    const room = statfsSync(at).bavail;
    let store = subject.open(dir);
    const refusals = new Refusals(['ERR_NO_SPACE', 'ERR_IO']);
    /** @param {() => void} work */
    const may = (work) => refusals.may(work);
    for (let tag = 1; tag < 400; tag++) {
      const change = { tag, put: [`key ${next(40)}`] };
      const before = subject.lenient ? store.metrics().rejectedPuts : 0;
      const done = may(() => subject.apply(store, change));
      const counted = subject.lenient && store.metrics().rejectedPuts > before;
      if (counted) refusals.count++;
      if (subject.deferred) oracle.defer(change, done);
      else oracle.note(change, done && !counted);
      if (tag % 20 === 0 && may(() => store.flush())) oracle.flushed();
      if (tag % 50 === 0 && store.compact) may(() => store.compact());
      // Another program takes all free space, again and again because compactions free some; at 250 it gives all of it back.
      if (tag === 150) for (let i = 0; i < 40; i++) hog(at, `${i}`);
      if (tag > 150 && tag < 250) hog(at, `at ${tag}`);
      if (tag === 250)
        for (const name of readdirSync(at)) if (name.startsWith('hog')) rmSync(`${at}/${name}`);
      for (const it of oracle.judge((key) => subject.find(store, key), { mayMiss: true }))
        wrong.push(`${subject.name}, ${tag}: ${it}`);
    }
    refused += refusals.count;
    wrong.push(...refusals.wrong.map((it) => `${subject.name}: ${it}`));
    if (refusals.count === 0) wrong.push(`${subject.name}: no change was ever refused`);
    store.close();
    store = subject.open(dir);
    for (const it of oracle.judge((key) => subject.find(store, key)))
      wrong.push(`${subject.name}, opened again: ${it}`);
    store.close();
    store = undefined;
    rmSync(dir, { recursive: true });
    // Lent windows keep the space of deleted files until V8 collects them, and the next store needs this space.
    await until(() => statfsSync(at).bavail >= room - 16);
  }
  return { refused, wrong };
}

/** @param {string} at @param {string} name */
function hog(at, name) {
  const { bavail, bsize } = statfsSync(at);
  try {
    writeFileSync(`${at}/hog ${name}`, Buffer.alloc(Math.min(bavail * bsize, 1 << 20)));
  } catch {}
}
