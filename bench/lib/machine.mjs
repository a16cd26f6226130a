// Describes the machine of a run, for the head of its report.

import { execFileSync } from 'node:child_process';
import { readFileSync, statfsSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';

/** File systems by the magic numbers of statfs(2). @type {Record<number, string>} */
const FILE_SYSTEMS = {
  61267: 'ext4',
  1481003842: 'xfs',
  2435016766: 'btrfs',
  16914836: 'tmpfs',
  2035054128: 'overlay',
};

/** @param {string} folder the folder of the stores, whose file system is reported */
export function machine(folder) {
  const [cpu] = cpus();
  return {
    processor: cpu?.model.trim() ?? 'unknown',
    cores: cpus().length,
    virtual: isVirtual(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${release()}`,
    fileSystem: FILE_SYSTEMS[statfsSync(folder).type] ?? 'unknown',
    node: process.versions.node,
    v8: process.versions.v8,
    revision: revision(),
  };
}

function isVirtual() {
  try {
    return /^flags.*\bhypervisor\b/m.test(readFileSync('/proc/cpuinfo', 'latin1'));
  } catch {
    return false;
  }
}

function revision() {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return undefined;
  }
}
