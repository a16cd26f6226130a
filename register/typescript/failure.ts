/** A source that the transpiler refuses becomes a module whose body throws the error, at the place of the mistake. */

import vm = require('node:vm');

import type { Prepared } from '../kit.js';

/** What esbuild reports. */
interface Located {
  errors?: { text: string; location: { line: number; column: number; lineText: string } | null }[];
}

/** The error to show: what is wrong, and where. */
export function explained(
  filename: string,
  error: unknown,
): { message: string; line: number; column: number } {
  const [first] = (error as Located).errors ?? [];
  if (first?.location) {
    const { line, column, lineText } = first.location;
    const where = `${filename}:${line}:${column + 1}`;
    return { message: `${first.text}\n${where}\n${lineText}\n${' '.repeat(column)}^`, line, column };
  }
  // swc appends causes inside itself, which do not help to correct the source.
  const message = (error as Error).message.replace(/\s*\n\s*Caused by:[\s\S]*$/, '');
  return { message: `${message}\n${filename}`, line: 1, column: 0 };
}

export function failure(filename: string, error: unknown): Prepared {
  const { message, line, column } = explained(filename, error);
  // The comment in it keeps Node.js from printing this line as that of the mistake.
  const body = `(function () { throw new SyntaxError(${JSON.stringify(message)}); }) // node-do-not-add-exception-line`;
  const columnOffset = column - body.indexOf('new SyntaxError');
  const script = new vm.Script(body, { filename, lineOffset: line - 1, columnOffset });
  return { filename, script, flags: 0 };
}
