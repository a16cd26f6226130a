// Changes of files as editors, package managers and accidents make them. None writes into a file that exists: those of
// the packages are shared with the tree that they were copied from.

import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

/** Puts other bytes at a path, with the same permissions; its modification time is now, or as told. */
export function replace(path: string, text: string, seconds?: number): void {
  const fresh = `${path}.fresh`;
  writeFileSync(fresh, text, { mode: statSync(path).mode });
  if (seconds !== undefined) utimesSync(fresh, seconds, seconds);
  renameSync(fresh, path);
}

/** The text with each `from` made `to`; not a byte longer or shorter. */
export function edited(text: string, from: string, to: string): string {
  const result = text.replaceAll(from, to);
  if (result === text) throw new Error(`${from} is not there`);
  if (Buffer.byteLength(result) !== Buffer.byteLength(text)) throw new Error(`${to} is not as long`);
  return result;
}

/** As `touch` does. */
export const touch = (path: string): void => replace(path, readFileSync(path, 'utf8'));

/** Takes a file away; the function it gives makes it again. */
export function remove(path: string): () => void {
  const away = `${path}.away`;
  renameSync(path, away);
  return () => {
    copyFileSync(away, path);
  };
}

/** Damages every file below a folder: its second half becomes other bytes, or none. */
export function damage(folder: string, how: 'overwritten' | 'cut off'): number {
  mkdirSync(folder, { recursive: true });
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  for (const { parentPath, name } of files) {
    const path = join(parentPath, name);
    const bytes = readFileSync(path);
    const half = bytes.length >> 1;
    writeFileSync(path, how === 'cut off' ? bytes.subarray(0, half) : bytes.fill(0xa5, half));
  }
  return files.length;
}
