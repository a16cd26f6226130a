// Keeps the same version wherever it is stated: the packages for npm, the crates, and both lock files.
//
//   npm run version:set -- 0.2.0     write it everywhere
//   npm run check:versions           fail if one differs from that in package.json

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

const root = new URL('../', import.meta.url);
/** @param {string} path */
const read = (path) => readFileSync(new URL(path, root), 'utf8');
const VERSION = String.raw`\d+\.\d+\.\d+(?:-[\w.]+)?`;

/** Where it is stated: the file, and a pattern for what precedes it. @type {[file: string, before: string][]} */
const places = [
  ['package.json', '^ {2}"version": "'],
  ...readdirSync(new URL('npm/', root))
    .sort()
    .map(
      (platform) => /** @type {[string, string]} */ ([`npm/${platform}/package.json`, '^ {2}"version": "']),
    ),
  ['package-lock.json', '^ {2}"version": "'],
  ['package-lock.json', String.raw`^ {6}"name": "warmshard",\n {6}"version": "`],
  ['Cargo.toml', String.raw`^\[workspace\.package\]\nversion = "`],
  ...['warmshard', 'warmshard-core', 'warmshard-instructions'].map(
    (crate) => /** @type {[string, string]} */ (['Cargo.lock', `^name = "${crate}"\\nversion = "`]),
  ),
];

/** @param {string} before */
const pattern = (before) => new RegExp(`(${before})(${VERSION})(?=")`, 'm');

const [wanted] = process.argv.slice(2).filter((argument) => argument !== '--check');
if (wanted !== undefined && !new RegExp(`^${VERSION}$`).test(wanted))
  throw new Error(`${wanted}: no version`);
if (wanted === undefined && !process.argv.includes('--check')) throw new Error('say which version to set');
const { version } = JSON.parse(read('package.json'));

const differing = places.flatMap(([file, before]) => {
  const text = read(file);
  const found = pattern(before).exec(text)?.[2];
  if (found === undefined) throw new Error(`${file}: no version behind ${before}`);
  if (wanted !== undefined) writeFileSync(new URL(file, root), text.replace(pattern(before), `$1${wanted}`));
  return found === version ? [] : [`${file} is at ${found}`];
});
if (wanted === undefined && differing.length > 0)
  throw new Error(
    `package.json is at ${version}, but ${differing.join(', ')}: npm run version:set -- ${version}`,
  );
console.log(`${places.length} places: ${wanted ?? version}`);
