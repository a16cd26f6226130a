// The system calls of a program between two marks: the program writes "MARK BEGIN" and "MARK END" to standard error.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { ExecutionContext } from 'ava';

/** Whether strace works here. If not, the test passes and logs that it was skipped. */
export function canTrace(t: ExecutionContext, ...options: string[]): boolean {
  if (spawnSync('strace', ['-o', '/dev/null', ...options, 'true']).status === 0) return true;
  t.log('skipped: strace is not installed, or cannot trace here');
  t.pass();
  return false;
}

/** The command to run a program under strace, which writes the calls to the file `trace`. */
export const straced = (trace: string, ...options: string[]): string[] => [
  'strace',
  '-f',
  '-qq',
  ...options,
  '-o',
  trace,
];

/** The lines between the marks, and the id of the thread that wrote the marks. */
export function betweenMarks(t: ExecutionContext, trace: string): { lines: string[]; main: string } {
  const lines = readFileSync(trace, 'utf8').split('\n');
  const begin = lines.findIndex((line) => line.includes('"MARK BEGIN'));
  const end = lines.findIndex((line) => line.includes('"MARK END'));
  t.true(begin > 0 && end > begin);
  return { lines: lines.slice(begin + 1, end), main: lines[begin]?.split(' ')[0] ?? '' };
}
