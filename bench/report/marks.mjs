// The measured parts of the documents stand between two marks; the report scripts write them with this module.

import { readFileSync, writeFileSync } from 'node:fs';

/** Replaces the text between two marks of a document. @param {URL} document @param {[begin: string, end: string]} marks @param {string} text */
export function writeBetween(document, [begin, end], text) {
  const old = readFileSync(document, 'utf8');
  const from = old.indexOf(begin);
  const to = old.indexOf(end, from);
  if (from === -1 || to === -1) throw new Error(`${document.pathname} has lost its marks`);
  writeFileSync(document, `${old.slice(0, from + begin.length)}\n${text}\n${old.slice(to)}`);
}
