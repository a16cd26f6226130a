// Makes package.json ready to publish: every platform package becomes an optional dependency at exactly this version.
//
// They cannot be there between releases: `npm ci` refuses a lock file that lacks a dependency, and a version that is not
// yet published cannot be locked. As workspaces, those of other platforms would fail with EBADPLATFORM.
//
//   node scripts/release-manifest.mjs           write them
//   node scripts/release-manifest.mjs --repository URL
//                                               and state the repository in all seven, as provenance requires
//   node scripts/release-manifest.mjs --check   fail unless they are written and each platform has its binary

import { access, readdir, readFile, writeFile } from 'node:fs/promises';

const root = new URL('../', import.meta.url);
/** @param {string} path */
const readJson = async (path) => JSON.parse(await readFile(new URL(path, root), 'utf8'));

const manifest = await readJson('package.json');

/** @type {Record<string, string>} */
const wanted = {};
for (const platform of (await readdir(new URL('npm/', root))).sort()) {
  const { name, version, main } = await readJson(`npm/${platform}/package.json`);
  if (version !== manifest.version) {
    throw new Error(`${name} is at ${version}, warmshard at ${manifest.version}: set both to one version`);
  }
  await access(new URL(`npm/${platform}/${main}`, root)).catch(() => {
    throw new Error(`npm/${platform}/${main} is missing: put that platform's binary there first`);
  });
  wanted[name] = version;
}

if (process.argv.includes('--check')) {
  if (JSON.stringify(manifest.optionalDependencies) !== JSON.stringify(wanted)) {
    throw new Error(
      'package.json does not name the platform packages: run node scripts/release-manifest.mjs',
    );
  }
} else {
  const at = process.argv.indexOf('--repository');
  const repository = at === -1 ? undefined : { type: 'git', url: `git+${process.argv[at + 1]}.git` };
  const write = (/** @type {string} */ path, /** @type {object} */ next) =>
    writeFile(
      new URL(path, root),
      `${JSON.stringify({ ...next, ...(repository && { repository }) }, null, 2)}\n`,
    );
  await write('package.json', { ...manifest, optionalDependencies: wanted });
  if (repository !== undefined)
    for (const platform of await readdir(new URL('npm/', root))) {
      const path = `npm/${platform}/package.json`;
      await write(path, await readJson(path));
    }
}
