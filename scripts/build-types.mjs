// Bundles the declarations that tsc emitted into index.d.ts, which describes the public API. It is committed, so that a
// change of the API shows in review.
//
// The bundler does not start from index.ts itself, because it would use the index.d.ts beside it.

import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { rollup } from 'rollup';
import { dts } from 'rollup-plugin-dts';

/** @param {string} path */
const inRoot = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** The same as in `@types/node`, for programs that have neither that nor TypeScript's newest library declarations. */
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
 * @param {string} [more] declarations to put before the others
 * @param {Record<string, string>} [others] modules that are not bundled, each with the name to import it by
 */
async function declare(entry, file, more = '', others = {}) {
  const bundle = await rollup({
    input: inRoot(`target/types/${entry}.d.ts`),
    external: /^node:/,
    plugins: [
      {
        name: 'others',
        resolveId: (source) => (others[source] ? { id: others[source], external: true } : null),
      },
      dts({ tsconfig: inRoot('tsconfig.json') }),
    ],
    onLog(_level, log) {
      throw new Error(log.message);
    },
  });
  const banner = `// Emitted from ${entry}.ts by \`npm run build:types\`. Do not edit.\n${more}`;
  await bundle.write({ file: inRoot(file), format: 'es', banner });
  await bundle.close();
}

// `import` and `require` get the same declarations: a class with private members, declared twice, would be two types.
await mkdir(inRoot('dist'), { recursive: true });
await declare('index', 'index.d.ts', DISPOSE);
await writeFile(inRoot('dist/index.d.mts'), `export * from '../index.js';\n`);
await declare('register/index', 'dist/register.d.ts');
await writeFile(inRoot('dist/register.d.mts'), `export * from './register.js';\n`);
// It imports the package by its name: in a checkout '../index.js' would be index.ts, whose Shard is another type.
await declare('keyv/index', 'dist/keyv.d.ts', '', { '../index.js': 'warmshard' });
await writeFile(inRoot('dist/keyv.d.mts'), `export * from './keyv.js';\n`);
