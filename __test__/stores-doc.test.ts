// A page named a test as proof; the test had been renamed, and later deleted.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';

const root = join(__dirname, '..');
const page = readFileSync(join(root, 'docs', 'stores.md'), 'utf8');
const folders = ['__test__', 'src-rs/core/tests', 'src-rs/core/src/stores/artifact'];

/** The text of a test file in any of the test folders. */
function source(name: string): string | undefined {
  const path = folders.map((folder) => join(root, folder, name)).find((path) => existsSync(path));
  return path === undefined ? undefined : readFileSync(path, 'utf8').replace(/\\'/g, "'");
}

/** Rows of all tables whose last column names tests. */
function rows(): { what: string; where: string; proof: string }[] {
  return page
    .split('\n')
    .filter((line) => /^\| .*\.(test\.ts|rs)`[^|]*\|$/.test(line))
    .map((line) => {
      const [what = '', where = '', proof = ''] = line.slice(2, -2).split(' | ');
      return { what, where, proof };
    });
}

test('every row names tests that exist, with their titles', (t) => {
  t.true(rows().length > 70, `${rows().length} rows`);
  for (const { what, proof } of rows()) {
    const named = [...proof.matchAll(/`([\w-]+\.(?:test\.ts|rs))`(?:: ([^`]+))?/g)];
    t.true(named.length > 0, what);
    for (const [, file = '', titles = ''] of named) {
      const text = source(file);
      t.not(text, undefined, `${what}: there is no ${file}`);
      for (const title of titles.replace(/[;,]? (core )?$/, '').split('; ... ')) {
        const words = title.replace(/ \(property\)$/, '').trim();
        t.true(text?.includes(words), `${what}: ${file} has no test "${words}"`);
      }
    }
  }
});

test('every file that a row names exists', (t) => {
  const sources = (readdirSync(join(root, 'src-rs'), { recursive: true }) as string[]).map(
    (path) => `/${path}`,
  );
  for (const { what, where } of rows())
    for (const [, path = ''] of where.matchAll(/`([\w./-]+\.(?:rs|ts|mjs))`/g)) {
      const there =
        existsSync(join(root, path)) ||
        sources.some(
          (known) => known.endsWith(`/${path.replace(/^core\//, '')}`) && !known.includes('/target/'),
        );
      t.true(there, `${what}: ${path}`);
    }
});
