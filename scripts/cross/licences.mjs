// The licences of what is linked into a binary. Nearly all of them require that their text accompanies the code, so a
// platform's LICENSE is warmshard's own, followed by one text for each crate and for Rust's standard library.

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * @typedef {{ id: string, name: string, version: string, license: string | null, authors: string[], manifest_path: string,
 *   source: string | null, targets: { kind: string[] }[] }} Crate
 * @typedef {{ id: string, deps: { pkg: string, dep_kinds: { kind: string | null }[] }[] }} Node
 * @typedef {{ packages: Crate[], resolve: { nodes: Node[], root: string } }} Metadata
 */

/** The packages that cargo resolves for a target. @param {string} root @param {string} target @returns {Metadata} */
export function metadata(root, target) {
  const args = ['metadata', '--format-version', '1', '--locked', '--filter-platform', target];
  return JSON.parse(execFileSync('cargo', args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28 }));
}

/** The crates whose code is in the library: not those for builds, for tests, or for the compiler. @param {Metadata} of */
function linked({ packages, resolve: { nodes, root } }) {
  const crates = new Map(packages.map((crate) => [crate.id, crate]));
  const uses = new Map(nodes.map(({ id, deps }) => [id, deps]));
  const seen = new Set([root]);
  for (const id of seen) {
    for (const { pkg, dep_kinds } of uses.get(id) ?? []) {
      const inCompiler = crates.get(pkg)?.targets.some(({ kind }) => kind.includes('proc-macro'));
      if (!inCompiler && dep_kinds.some(({ kind }) => kind === null)) seen.add(pkg);
    }
  }
  const found = [...seen].flatMap((id) => crates.get(id) ?? []);
  return found
    .filter(({ source }) => source !== null)
    .sort((a, b) => (`${a.name} ${a.version}` < `${b.name} ${b.version}` ? -1 : 1));
}

/** If a crate offers several licences, the first of these is chosen: they are short. */
const PREFERRED = [/MIT/i, /CC0/i, /BSD/i];

/** @param {Crate} crate @param {string} mit the text of the MIT licence, for crates that ship none */
function textOf({ name, version, license, authors, manifest_path }, mit) {
  const folder = dirname(manifest_path);
  const files = readdirSync(folder)
    .filter((file) => /^(licen[cs]e|copying|unlicense)/i.test(file))
    .sort();
  const mayChoose = !/\bAND\b/.test(license ?? '');
  const chosen = mayChoose
    ? PREFERRED.map((form) => files.find((file) => form.test(file))).find(Boolean)
    : undefined;
  const texts = (chosen === undefined ? files : [chosen]).map((file) =>
    readFileSync(join(folder, file), 'utf8').trim(),
  );
  if (texts.length > 0) return texts.join('\n\n');
  if (license !== 'MIT') throw new Error(`${name} ${version} (${license}) ships no licence to pass on`);
  return withHolder(mit, authors.length > 0 ? authors.join(', ') : `the authors of ${name}`);
}

/** @param {string} mit @param {string} holder */
const withHolder = (mit, holder) => mit.replace(/^Copyright .*$/m, () => `Copyright (c) ${holder}`);

/**
 * The text of the LICENSE file beside a binary.
 *
 * @param {string} own the text of this project's licence, which is MIT
 * @param {Metadata} of
 */
export function licences(own, of) {
  const mit = own.trim();
  const parts = linked(of).map((crate) => ({
    name: `${crate.name} ${crate.version} (${crate.license})`,
    text: textOf(crate, mit),
  }));
  parts.push({
    name: "Rust's standard library (MIT OR Apache-2.0)",
    text: withHolder(mit, 'The Rust Project Contributors'),
  });
  const line = '-'.repeat(80);
  const sections = parts.map(({ name, text }) => `${line}\n${name}\n\n${text}\n`);
  return `${mit}\n\n${line}\nThis binary holds code of others, under the licences that follow.\n\n${sections.join('\n')}`;
}
