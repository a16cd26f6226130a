// A registry on this machine that has only our packages and asks no other registry.

import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { tool, WORK } from './tools.mjs';

/** A free port of the loopback interface. @returns {Promise<number>} */
const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? (address?.port ?? 0) : 0));
    });
  });

export async function startRegistry() {
  const folder = join(WORK, 'registry');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const config = {
    storage: join(folder, 'storage'),
    auth: { htpasswd: { file: join(folder, 'htpasswd') } },
    uplinks: {},
    packages: { '**': { access: '$all', publish: '$all', unpublish: '$all' } },
    max_body_size: '50mb',
    log: { type: 'stdout', format: 'pretty', level: 'error' },
  };
  // JSON is YAML.
  writeFileSync(join(folder, 'config.yaml'), JSON.stringify(config));
  const args = [
    tool('verdaccio/bin/verdaccio'),
    '-c',
    join(folder, 'config.yaml'),
    '-l',
    `127.0.0.1:${port}`,
  ];
  const server = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const url = `http://127.0.0.1:${port}/`;
  for (let i = 0; ; i++) {
    const up = await fetch(`${url}-/ping`).then(
      (answer) => answer.ok,
      () => false,
    );
    if (up) break;
    if (i > 150 || server.exitCode !== null) throw new Error('the registry does not start');
    await new Promise((done) => setTimeout(done, 200));
  }
  return { url, stop: () => server.kill() };
}

/** @param {string[]} folders @param {string} url */
export function publish(folders, url) {
  for (const folder of folders)
    execFileSync(
      'npm',
      ['publish', '--ignore-scripts', '--registry', url, `--${url.slice('http:'.length)}:_authToken=anyone`],
      { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] },
    );
}
