// A binary held the code of thirty crates whose licences ask to go along, and went without them.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type Crate, licences } from '../scripts/cross/licences.mjs';
import { folder } from './helpers/folder.js';

const OWN = readFileSync(join(__dirname, '../LICENSE'), 'utf8');

/** A crate on disk with those licences. */
function crate(t: ExecutionContext, name: string, license: string, files: string[], kind = 'lib'): Crate {
  const at = join(folder(t), name);
  mkdirSync(at);
  for (const file of files) writeFileSync(join(at, file), `${name}: text of ${file}\n`);
  const manifest_path = join(at, 'Cargo.toml');
  const targets = [{ kind: [kind] }];
  return { id: name, name, version: '1.0.0', license, authors: [], manifest_path, source: 'crates', targets };
}

/** What goes beside a binary that uses those crates, in that way. */
function beside(crates: Crate[], kind: string | null = null) {
  const root = { ...(crates[0] as Crate), id: 'root', name: 'root', source: null };
  const deps = crates.map(({ id }) => ({ pkg: id, dep_kinds: [{ kind }] }));
  return licences(OWN, {
    packages: [root, ...crates],
    resolve: { root: 'root', nodes: [{ id: 'root', deps }] },
  });
}

test('the licence of each crate that is linked stands behind the own one', (t) => {
  const chosen = crate(t, 'either', 'MIT OR Apache-2.0', ['LICENSE-APACHE', 'LICENSE-MIT']);
  const one = crate(t, 'one', 'ISC', ['LICENSE']);
  const both = crate(t, 'both', '(MIT OR Apache-2.0) AND Unicode-3.0', ['LICENSE-MIT', 'LICENSE-UNICODE']);
  const text = beside([chosen, one, both]);
  t.true(text.startsWith(OWN.trim()));
  t.true(text.includes('either: text of LICENSE-MIT'));
  t.false(text.includes('LICENSE-APACHE'));
  t.true(text.includes('one: text of LICENSE'));
  t.true(text.includes('both: text of LICENSE-MIT') && text.includes('both: text of LICENSE-UNICODE'));
  t.true(text.includes("Rust's standard library"));
});

test('a crate that ships no text has that of MIT, or stops the build', (t) => {
  const text = beside([crate(t, 'bare', 'MIT', [])]);
  t.true(text.includes('Copyright (c) the authors of bare'));
  const unknown = crate(t, 'unknown', 'Apache-2.0', []);
  t.throws(() => beside([unknown]), { message: /unknown 1\.0\.0 \(Apache-2\.0\) ships no licence/ });
});

test('what only builds or tests, or runs in the compiler, is not told', (t) => {
  t.false(beside([crate(t, 'inside', 'MIT', [], 'proc-macro')]).includes('inside'));
  t.false(beside([crate(t, 'tester', 'MIT', [])], 'dev').includes('tester'));
});
