// What every suite does around its cases: it runs itself on other versions of Node.js and writes the figures.

import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { nodeBinary } from '../setup/nodes.mjs';

export const major = process.versions.node.split('.', 1)[0] ?? '';

/** @param {string | undefined} text */
export const list = (text) => text?.split(',').map((word) => word.trim());

/** Runs a script with other versions of Node.js, passing on this process's options. @param {string} script @param {string[]} versions */
export function elsewhere(script, versions) {
  const rest = process.argv
    .slice(2)
    .filter((arg, i, all) => !/^--node\b/.test(arg) && all[i - 1] !== '--node');
  for (const version of versions) {
    const binary = nodeBinary(version);
    if (binary === undefined) {
      console.error(`Node.js ${version} is not here: npm run bench:nodes -- ${version}`);
      process.exitCode = 1;
      continue;
    }
    const { status } = spawnSync(binary, [script, ...rest], { stdio: 'inherit' });
    process.exitCode ||= status ?? 1;
  }
}

/** Writes a report into files; `{node}` in a name becomes the major version. @param {unknown} report @param {(string | false | undefined)[]} files */
export function keep(report, files) {
  for (const name of files) {
    if (!name) continue;
    const file = name.replace('{node}', major);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `${JSON.stringify(report, rounded, 1)}\n`);
  }
}

/** Keeps four digits: more would not be reproducible. @param {string} _key @param {unknown} value */
function rounded(_key, value) {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value;
}
