// Bundles the declarations that tsc emitted into index.d.ts, the public face as TypeScript sees it. It is
// committed, so that a change of the face shows in review.
//
// The bundler does not start from index.ts itself: it would take the index.d.ts beside it for the answer.

import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { rollup } from 'rollup';
import { dts } from 'rollup-plugin-dts';

/** @param {string} path */
const inRoot = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

const bundle = await rollup({
  input: inRoot('target/types/index.d.ts'),
  external: /^node:/,
  plugins: [dts({ tsconfig: inRoot('tsconfig.json') })],
  onLog(_level, log) {
    throw new Error(log.message);
  },
});
await bundle.write({
  file: inRoot('index.d.ts'),
  format: 'es',
  banner: '// Emitted from index.ts by `npm run build:types`. Do not edit.\n',
});
await bundle.close();

// One set of declarations for both doors: a class with private members, declared twice, would be two types.
await mkdir(inRoot('dist'), { recursive: true });
await writeFile(inRoot('dist/index.d.mts'), `export * from '../index.js';\n`);
