import { accessSync, constants, existsSync, lstatSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { openAny } from './open.js';

type Warmshard = typeof import('../index.js');

/** What `doctor` finds out about a shard and its folder. */
export interface ShardFindings {
  path: string;
  exists: boolean;
  /** The nearest folder above it that exists. */
  folder: string;
  writable: boolean;
  fileSystem?: string;
  readOnly?: boolean;
  mapped?: boolean;
  entries?: number;
  bytes?: number;
  /** What is worth knowing, but not wrong. */
  notes: string[];
  problems: string[];
}

/** File systems by their magic number; on those marked, shards are read without mappings. */
const FILE_SYSTEMS: Record<number, string> = {
  61267: 'ext',
  1481003842: 'xfs',
  2435016766: 'btrfs',
  16914836: 'tmpfs',
  2035054128: 'overlay',
  801189825: 'zfs',
  1650812274: 'squashfs',
  26985: 'nfs, without mappings',
  1702057286: 'fuse, without mappings',
  16914839: '9p, without mappings',
  4283649346: 'cifs, without mappings',
};

function fileSystem(folder: string): string | undefined {
  try {
    const { type } = statfsSync(folder);
    return process.platform === 'linux' ? (FILE_SYSTEMS[type] ?? `0x${type.toString(16)}`) : undefined;
  } catch {
    return undefined;
  }
}

const may = (path: string, mode: number) => {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
};

/** Looks at a shard without changing anything. */
export function lookAtShard(warmshard: Warmshard, path: string): ShardFindings {
  let folder = dirname(path);
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  const system = fileSystem(folder);
  const findings: ShardFindings = {
    path,
    exists: existsSync(path),
    folder,
    writable: may(folder, constants.W_OK | constants.X_OK),
    ...(system !== undefined && { fileSystem: system }),
    notes: [],
    problems: [],
  };
  const { notes, problems } = findings;
  if (!findings.exists) {
    if (findings.writable) notes.push('There is no shard yet; the first change creates it.');
    else
      problems.push(
        `No shard can be kept there: this user may not write to ${folder}. Change its owner or mode, or choose ` +
          'another folder (WARMSHARD_HOME, --shard).',
      );
    return findings;
  }
  try {
    const { mode, uid } = lstatSync(path);
    if (!may(path, constants.R_OK))
      problems.push(
        `This user may not read it: it belongs to user ${uid}, mode ${(mode & 0o7777).toString(8)}. Change its ` +
          'owner, or remove it.',
      );
    findings.readOnly = !may(path, constants.W_OK) || !findings.writable;
    if (findings.readOnly) notes.push('It is read-only here: it serves what it has, and stores nothing.');
    if (!existsSync(`${path}.lock`))
      notes.push('It has no sidecar (.lock): it counts as constant until a program opens it for writing.');
    const { shard } = openAny(warmshard, path);
    const { rejected, mapped, entries, fileBytes } = shard.stats();
    shard.close();
    Object.assign(findings, { mapped, entries, bytes: fileBytes });
    if (rejected !== undefined) notes.push(`It reads as empty (${rejected}); the next change replaces it.`);
  } catch (error) {
    problems.push((error as Error).message);
  }
  return findings;
}
