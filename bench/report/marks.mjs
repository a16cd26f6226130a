// What is measured stands in documents between two marks, and is written there by the reports.

import { readFileSync, writeFileSync } from 'node:fs';

/** Writes a text between the marks of a document. @param {URL} document @param {[begin: string, end: string]} marks @param {string} text */
export function writeBetween(document, [begin, end], text) {
  const old = readFileSync(document, 'utf8');
  const from = old.indexOf(begin);
  const to = old.indexOf(end, from);
  if (from === -1 || to === -1) throw new Error(`${document.pathname} has lost its marks`);
  writeFileSync(document, `${old.slice(0, from + begin.length)}\n${text}\n${old.slice(to)}`);
}
