// How much other processes used the processors while a round ran.

import { readFileSync } from 'node:fs';

/** Microseconds of a tick: USER_HZ is 100 on every Linux that Node.js runs on. */
const TICK_US = 10_000;

/** Processes that work for the benchmark and have not ended: theirs is not foreign. @type {Set<number>} */
export const ownProcesses = new Set();

/** @param {(number | undefined)[]} ticks */
const micros = (...ticks) => ticks.reduce((/** @type {number} */ sum, t) => sum + (t ?? 0), 0) * TICK_US;

/** What a process used, and what those of its children did that have ended. @param {number | 'self'} pid */
function usedBy(pid) {
  try {
    // After the command's closing parenthesis: utime, stime, cutime and cstime are fields 14 to 17 of all.
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    return { own: micros(fields[11], fields[12]), ended: micros(fields[13], fields[14]) };
  } catch {
    return { own: 0, ended: 0 };
  }
}

/** Processor time that all processes used so far, and that ours did, in microseconds. */
function used() {
  const [line = ''] = readFileSync('/proc/stat', 'latin1').split('\n', 1);
  const [, user, nice, system, , , irq, softirq, steal] = line.split(/\s+/).map(Number);
  let ours = usedBy('self').ended;
  for (const pid of ownProcesses) {
    const { own, ended } = usedBy(pid);
    ours += own + ended;
  }
  return { all: micros(user, nice, system, irq, softirq, steal), ours };
}

/**
 * Starts to watch; the function it gives tells how many microseconds others have used since. Where there is no /proc,
 * that is always 0.
 */
export function watchOthers() {
  let before;
  try {
    before = used();
  } catch {
    return () => 0;
  }
  const { all, ours } = before;
  const cpu = process.cpuUsage();
  return () => {
    const now = used();
    const { user, system } = process.cpuUsage(cpu);
    return Math.max(0, now.all - all - (now.ours - ours) - user - system);
  };
}
