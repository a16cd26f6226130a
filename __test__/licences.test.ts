// A binary contained the code of thirty crates, and was published without their licences.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type Crate, licences } from '../scripts/cross/licences.mjs';
import { folder } from './helpers/folder.js';

const OWN = readFileSync(join(__dirname, '../LICENSE'), 'utf8');

/** A crate on disk with these licence files. */
function crate(t: ExecutionContext, name: string, license: string, files: string[], kind = 'lib'): Crate {
  const at = join(folder(t), name);
  mkdirSync(at);
  for (const file of files) writeFileSync(join(at, file), `${name}: text of ${file}\n`);
  const manifest_path = join(at, 'Cargo.toml');
  const targets = [{ kind: [kind] }];
  return { id: name, name, version: '1.0.0', license, authors: [], manifest_path, source: 'crates', targets };
}

/** The licence file for a binary that depends on these crates, by dependencies of this kind. */
function beside(crates: Crate[], kind: string | null = null) {
  const root = { ...(crates[0] as Crate), id: 'root', name: 'root', source: null };
  const deps = crates.map(({ id }) => ({ pkg: id, dep_kinds: [{ kind }] }));
  return licences(OWN, {
    packages: [root, ...crates],
    resolve: { root: 'root', nodes: [{ id: 'root', deps }] },
  });
}

test('the licence of each linked crate follows our own', (t) => {
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

test('for a crate without a licence file the MIT text is used if it allows MIT, otherwise the build fails', (t) => {
  const text = beside([crate(t, 'bare', 'MIT', [])]);
  t.true(text.includes('Copyright (c) the authors of bare'));
  const unknown = crate(t, 'unknown', 'Apache-2.0', []);
  t.throws(() => beside([unknown]), { message: /unknown 1\.0\.0 \(Apache-2\.0\) ships no licence/ });
});

test('crates that are only used by tests or by the compiler are left out', (t) => {
  t.false(beside([crate(t, 'inside', 'MIT', [], 'proc-macro')]).includes('inside'));
  t.false(beside([crate(t, 'tester', 'MIT', [])], 'dev').includes('tester'));
});
