// Changes of files as editors, package managers and accidents make them. `replace`, `touch` and `remove` never write into an
// existing file, because the files of the packages are hard links to those of another tree.

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

/** Replaces a file, keeping its permissions; its modification time is `seconds`, or else now. */
export function replace(path: string, text: string, seconds?: number): void {
  const fresh = `${path}.fresh`;
  writeFileSync(fresh, text, { mode: statSync(path).mode });
  if (seconds !== undefined) utimesSync(fresh, seconds, seconds);
  renameSync(fresh, path);
}

/** The text with each `from` replaced by `to`, which must have the same length. */
export function edited(text: string, from: string, to: string): string {
  const result = text.replaceAll(from, to);
  if (result === text) throw new Error(`${from} is not in the text`);
  if (Buffer.byteLength(result) !== Buffer.byteLength(text))
    throw new Error(`${to} has another length than ${from}`);
  return result;
}

/** Like the command `touch`. */
export const touch = (path: string): void => replace(path, readFileSync(path, 'utf8'));

/** Removes a file. The returned function puts it back. */
export function remove(path: string): () => void {
  const away = `${path}.away`;
  renameSync(path, away);
  return () => {
    copyFileSync(away, path);
  };
}

/** Damages every file below a folder: overwrites its second half, or cuts it off. Returns the number of files. */
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
