// Runs the command line `warmshard`.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** Path of the script. */
export const CLI = join(__dirname, '..', '..', 'dist', 'cli.cjs');

export interface CliResult {
  status: number | null;
  stdout: string;
  stderr: string;
}

export function runCli(args: string[], env: Record<string, string> = {}): CliResult {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  return { status, stdout, stderr };
}
