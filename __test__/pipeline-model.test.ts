// Every operation of the cache worked by itself, but a certain order of put, remove and damage gave wrong bytes.

import {
  appendFileSync,
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { DiskPipelineCache, type DiskPipelineOptions, decodeArtifact, fingerprint } from 'warmshard';
import { pattern } from './helpers/bytes.js';
import { folder } from './helpers/folder.js';
import { WAYS } from './helpers/ways.js';

const PRINTS = Array.from({ length: 4 }, (_, i) => fingerprint(String(i)));

for (const [name, options] of Object.entries(WAYS))
  test(`two caches of one folder behave like a map, whatever is done (${name})`, (t) => {
    const base = folder(t);
    let runs = 0;
    const key = fc.nat({ max: PRINTS.length - 1 });
    const length = fc.oneof(fc.nat({ max: 100 }), fc.constantFrom(0, 262_143, 262_144, 300_000));
    const what = fc.constantFrom(
      'put',
      'put',
      'get',
      'get',
      'remove',
      'flip',
      'cut',
      'grow',
      'copy',
      'clear',
      'flush',
      'reopen',
    );
    const step = fc.record({ what, key, other: key, length, second: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
        const root = join(base, String(runs++));
        const open = () => new DiskPipelineCache(root, options as DiskPipelineOptions);
        const caches = [open(), open()];
        const model = new Map<number, Uint8Array>();
        const settle = (i: number) => {
          const path = join(root, `${PRINTS[i]}.bin`);
          const sound = existsSync(path) && decodeArtifact(PRINTS[i] as Uint8Array, readFileSync(path));
          if (sound) model.set(i, sound);
          else model.delete(i);
        };
        for (const [n, { what, key, other, length, second }] of steps.entries()) {
          const cache = caches[Number(second)] as DiskPipelineCache;
          const print = PRINTS[key] as Uint8Array;
          const path = join(root, `${print}.bin`);
          if (what === 'put') {
            cache.put(print, pattern(length, n));
            model.set(key, pattern(length, n));
          } else if (what === 'remove') {
            const there = existsSync(path);
            t.is(cache.remove(print), there);
            model.delete(key);
          } else if (what === 'clear') {
            const files = existsSync(root) ? readdirSync(root).length : 0;
            t.is(cache.clear(), files);
            model.clear();
          } else if (what === 'flush') {
            cache.flush();
            t.true(cache.durabilityReport().durable);
          } else if (what === 'reopen') {
            cache.close();
            caches[Number(second)] = open();
          } else if (what !== 'get' && existsSync(path)) {
            const whole = readFileSync(path);
            if (what === 'flip' && whole.length > 0) {
              const at = length % whole.length;
              whole[at] = (whole[at] as number) ^ 0x11;
              writeFileSync(path, whole);
            } else if (what === 'cut') truncateSync(path, length % (whole.length + 1));
            else if (what === 'grow') appendFileSync(path, 'x');
            else if (what === 'copy' && key !== other) copyFileSync(path, join(root, `${PRINTS[other]}.bin`));
            // Repeated changes may have repaired a file.
            for (const i of [key, other]) settle(i);
          }
          for (const cache of caches) {
            const found = cache.get(print);
            const expected = model.get(key);
            t.is(found?.length, expected?.length, `${what} at ${n}`);
            if (found && expected) t.is(Buffer.compare(found, expected), 0, `${what} at ${n}`);
          }
        }
        const files = existsSync(root) ? readdirSync(root) : [];
        t.true(files.every((file) => file.endsWith('.bin') && !file.startsWith('.')));
        for (const cache of caches) cache.close();
      }),
      { numRuns: 60 },
    );
  });
