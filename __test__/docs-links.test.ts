// A page was split, and for months half of the links to it were broken.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import test from 'ava';

const root = join(__dirname, '..');
const pages = ['.', 'docs', 'docs/performance']
  .flatMap((folder) => readdirSync(join(root, folder)).map((name) => join(root, folder, name)))
  .filter((path) => path.endsWith('.md'));

/** The text of a page without its code blocks. */
const prose = (path: string) => readFileSync(path, 'utf8').replace(/^```.*?^```/gms, '');

/** The anchors of a page's headings. */
function anchors(path: string): Set<string> {
  const headings = [...prose(path).matchAll(/^#+ (.*)$/gm)].map(([, text = '']) => text);
  return new Set(
    headings.map((text) =>
      text
        .toLowerCase()
        .replace(/[^\p{L}\p{N}_ -]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

test('every link between pages works', (t) => {
  t.true(pages.length > 20, `${pages.length} pages`);
  for (const page of pages) {
    for (const [, link = ''] of prose(page).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(link)) continue;
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? page : join(dirname(page), path);
      const where = `${relative(root, page)}: ${link}`;
      t.true(existsSync(target), where);
      if (anchor !== undefined && target.endsWith('.md')) t.true(anchors(target).has(anchor), where);
    }
  }
});

test('every page in docs/ is named in the README or in the index of its folder', (t) => {
  for (const page of pages) {
    const index = join(dirname(page), 'README.md');
    const named = prose(existsSync(index) ? index : join(root, 'README.md'));
    const name = relative(existsSync(index) ? dirname(page) : root, page);
    t.true(page === index || named.includes(name), relative(root, page));
  }
});
