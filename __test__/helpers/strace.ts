// What a program asked of the kernel between two marks: it writes "MARK BEGIN" and "MARK END" to standard error.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { ExecutionContext } from 'ava';

/** Whether strace works here; where it does not, the test passes and says that it was skipped. */
export function canTrace(t: ExecutionContext, ...options: string[]): boolean {
  if (spawnSync('strace', ['-o', '/dev/null', ...options, 'true']).status === 0) return true;
  t.log('skipped: strace is not installed, or may not trace here');
  t.pass();
  return false;
}

/** What puts a program under it; `trace` is the file that the calls go to. */
export const straced = (trace: string, ...options: string[]): string[] => [
  'strace',
  '-f',
  '-qq',
  ...options,
  '-o',
  trace,
];

/** The lines between the marks, and the thread that wrote these. */
export function betweenMarks(t: ExecutionContext, trace: string): { lines: string[]; main: string } {
  const lines = readFileSync(trace, 'utf8').split('\n');
  const begin = lines.findIndex((line) => line.includes('"MARK BEGIN'));
  const end = lines.findIndex((line) => line.includes('"MARK END'));
  t.true(begin > 0 && end > begin);
  return { lines: lines.slice(begin + 1, end), main: lines[begin]?.split(' ')[0] ?? '' };
}
