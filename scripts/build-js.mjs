// Bundles index.ts into dist/index.cjs, and writes the ES module door to it.
//
// There is one implementation, the CommonJS one. Were ESM bundled too, a program that imports warmshard
// while a library of its requires it would hold two Shard classes and two open handles.

import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

/** @type {import('esbuild').BuildOptions} */
const common = {
  absWorkingDir: root,
  entryPoints: ['index.ts'],
  bundle: true,
  platform: 'node',
  target: 'node20',
  legalComments: 'none',
  logLevel: 'warning',
};

/**
 * The names that a CommonJS bundle exports exist only once it has run, and it runs only beside a native
 * binary. The same entry bundled as an ES module states them.
 */
async function exportNames() {
  const { metafile } = await build({
    ...common,
    format: 'esm',
    write: false,
    metafile: true,
    outfile: 'names.mjs',
  });
  return Object.values(metafile.outputs)
    .flatMap((output) => output.exports)
    .sort();
}

const names = await exportNames();
if (names.length === 0) throw new Error('index.ts exports nothing');
if (names.includes('default'))
  throw new Error('index.ts must have named exports only: the ESM door re-exports names');

await mkdir(new URL('../dist/', import.meta.url), { recursive: true });
await build({ ...common, format: 'cjs', outfile: 'dist/index.cjs' });
await writeFile(
  new URL('../dist/index.mjs', import.meta.url),
  `import warmshard from './index.cjs';\n\nexport const {\n${names.map((name) => `  ${name},\n`).join('')}} = warmshard;\n`,
);
