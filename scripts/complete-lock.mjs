// Writes into package-lock.json the optional packages of other platforms that npm left out.
//
// If a registry does not carry them (a mirror for one platform, for example), `npm install` drops them from the lock
// file, and `npm ci` then refuses that file everywhere. Their names and exact versions are in their parents' entries; os,
// cpu and libc follow from the names. They get no integrity, which cannot be computed without the package.
//
//   npm install && node scripts/complete-lock.mjs [LOCK FILE]

import { readFile, writeFile } from 'node:fs/promises';

const file = process.argv[2] ?? new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(await readFile(file, 'utf8'));

/** @param {string} name a package such as `@rollup/rollup-linux-x64-musl` @param {boolean} [dev] */
function entryOf(name, dev) {
  const os = name.match(/-(android|darwin|freebsd|linux|openbsd|openharmony|win32)\b/)?.[1];
  const cpu = name.match(/-(arm64|arm|ia32|loong64|ppc64|riscv64|s390x|wasm32|x64)\b/)?.[1];
  if (!cpu) throw new Error(`${name}: no platform in its name`);
  const libc = /musl/.test(name) ? 'musl' : /-linux-.*gnu/.test(name) ? 'glibc' : undefined;
  return {
    cpu: [cpu],
    ...(dev && { dev }),
    ...(libc && { libc: [libc] }),
    optional: true,
    ...(os && { os: [os] }),
  };
}

let added = 0;
for (const [path, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const known = [`${path}/node_modules/${name}`, `node_modules/${name}`].some((key) => lock.packages[key]);
    if (known) continue;
    if (!/^\d+\.\d+\.\d+[\w.-]*$/.test(version)) throw new Error(`${name}@${version}: not an exact version`);
    lock.packages[`node_modules/${name}`] = { version, ...entryOf(name, entry.dev) };
    added += 1;
  }
}

const byPath = Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en'));
await writeFile(file, `${JSON.stringify({ ...lock, packages: Object.fromEntries(byPath) }, null, 2)}\n`);
console.log(`${added} added`);
