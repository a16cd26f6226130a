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

/** As `@types/node` has it, for programs that have neither that nor the newest of TypeScript's own declarations. */
const DISPOSE = `
declare global {
    interface SymbolConstructor {
        readonly dispose: unique symbol;
    }
}
`;

/**
 * @param {string} entry
 * @param {string} file
 * @param {string} [more] declarations that stand before the others
 */
async function declare(entry, file, more = '') {
  const bundle = await rollup({
    input: inRoot(`target/types/${entry}.d.ts`),
    external: /^node:/,
    plugins: [dts({ tsconfig: inRoot('tsconfig.json') })],
    onLog(_level, log) {
      throw new Error(log.message);
    },
  });
  const banner = `// Emitted from ${entry}.ts by \`npm run build:types\`. Do not edit.\n${more}`;
  await bundle.write({ file: inRoot(file), format: 'es', banner });
  await bundle.close();
}

// One set of declarations for both doors: a class with private members, declared twice, would be two types.
await mkdir(inRoot('dist'), { recursive: true });
await declare('index', 'index.d.ts', DISPOSE);
await writeFile(inRoot('dist/index.d.mts'), `export * from '../index.js';\n`);
await declare('register/index', 'dist/register.d.ts');
await writeFile(inRoot('dist/register.d.mts'), `export * from './register.js';\n`);
