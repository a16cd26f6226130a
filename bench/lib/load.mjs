// How much processor time other programs used while a round ran.

import { readFileSync } from 'node:fs';

/** Microseconds in a tick: USER_HZ is 100 on every Linux that Node.js supports. */
const TICK_US = 10_000;

/** Running processes that belong to the benchmark: their time is not foreign. @type {Set<number>} */
export const ownProcesses = new Set();

/** @param {(number | undefined)[]} ticks */
const micros = (...ticks) => ticks.reduce((/** @type {number} */ sum, t) => sum + (t ?? 0), 0) * TICK_US;

/** What a process used, and what its children that have ended used. @param {number | 'self'} pid */
function usedBy(pid) {
  try {
    // utime, stime, cutime and cstime are fields 14 to 17; the command's name in parentheses is field 2.
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

/** Processor time used so far by all processes and by ours, in microseconds. */
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
 * Starts to watch. The returned function tells how many microseconds other programs have used since; without /proc it
 * always returns 0.
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
