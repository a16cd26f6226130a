// How much other processes used the processors while a round ran.

import { readFileSync } from 'node:fs';

/** Microseconds of a tick: USER_HZ is 100 on every Linux that Node.js runs on. */
const TICK_US = 10_000;

/** @param {string} path */
function fields(path) {
  return readFileSync(path, 'latin1').split('\n', 1)[0]?.split(/\s+/) ?? [];
}

/** Processor time that all processes used so far, and that our children did, in microseconds. */
function usedMicros() {
  const [, user, nice, system, , , irq, softirq, steal] = fields('/proc/stat').map(Number);
  // After the command's closing parenthesis: cutime and cstime are fields 16 and 17 of all.
  const own = fields('/proc/self/stat').join(' ').split(') ').at(-1)?.split(' ').map(Number) ?? [];
  /** @param {(number | undefined)[]} ticks */
  const sum = (...ticks) => ticks.reduce((/** @type {number} */ a, b) => a + (b ?? 0), 0) * TICK_US;
  return { all: sum(user, nice, system, irq, softirq, steal), children: sum(own[13], own[14]) };
}

/**
 * Starts to watch; the function it gives tells how many microseconds others have used since. Where there is no /proc,
 * that is always 0.
 */
export function watchOthers() {
  let before;
  try {
    before = usedMicros();
  } catch {
    return () => 0;
  }
  const { all, children } = before;
  const cpu = process.cpuUsage();
  return () => {
    const now = usedMicros();
    const { user, system } = process.cpuUsage(cpu);
    return Math.max(0, now.all - all - (now.children - children) - user - system);
  };
}
