import { pathToFileURL } from 'node:url';
import { Module } from '../node-module.js';
import type { Task, Transpiled } from './transpiler.js';

const INLINE_MAP = /\n\/\/# sourceMappingURL=data:application\/json;base64,([\w+/=]*)\s*$/;

/** Suppresses warnings while something experimental of Node.js is used: the program has not asked for it. */
function quietly<T>(run: () => T): T {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return run();
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** Since Node.js 24, frames of files whose types it strips show the URL of the file. */
function nameOf(filename: string): string | undefined {
  return Number.parseInt(process.versions.node, 10) >= 24 ? pathToFileURL(filename).href : undefined;
}

/** Replaces types by spaces, so that positions stay. Syntax that is more than types is transformed, if Node.js can. */
export function strip({ source, filename, esm }: Task): Transpiled {
  const { stripTypeScriptTypes } = Module;
  if (stripTypeScriptTypes === undefined) throw new Error('no transpiler');
  return quietly(() => {
    try {
      const name = nameOf(filename);
      // A text that is wrapped must not name itself: V8 would count the wrapper's lines, too.
      const sourceUrl = esm && name !== undefined ? { sourceUrl: name } : {};
      const code = stripTypeScriptTypes(source, { mode: 'strip', ...sourceUrl });
      return { code, map: '', ...(!esm && name !== undefined && { name }) };
    } catch (error) {
      if ((error as { code?: string }).code !== 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX') throw error;
      let code: string;
      try {
        code = stripTypeScriptTypes(source, { mode: 'transform', sourceMap: true });
      } catch {
        throw error;
      }
      const map = INLINE_MAP.exec(code)?.[1] ?? '';
      return { code: code.replace(INLINE_MAP, ''), map: Buffer.from(map, 'base64').toString() };
    }
  });
}
