// Bundles index.ts into dist/index.cjs and dist/stores.cjs, and writes the ES module door to them.
//
// There is one implementation, the CommonJS one. Were ESM bundled too, a program that imports warmshard
// while a library of its requires it would hold two Shard classes and two open handles.
//
// The stores are most of the code, and compiling it is what requiring the package would spend its time on. So
// they are a bundle of their own: a function of the engine's modules, called when the first store is asked for.

import { mkdir, writeFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const STORES = 'facade/stores/';

/** @type {import('esbuild').BuildOptions} */
const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20',
  legalComments: 'none',
  logLevel: 'warning',
};

/**
 * The names that a CommonJS bundle exports exist only once it has run, and it runs only beside a native
 * binary. The same entry bundled as an ES module states them.
 *
 * @param {string} entry
 */
async function exportNames(entry) {
  const { metafile } = await build({
    ...common,
    entryPoints: [entry],
    format: 'esm',
    write: false,
    metafile: true,
    outfile: 'names.mjs',
  });
  return Object.values(metafile.outputs)
    .flatMap((output) => output.exports)
    .sort();
}

const names = await exportNames('index.ts');
if (names.length === 0) throw new Error('index.ts exports nothing');
if (names.includes('default'))
  throw new Error('index.ts must have named exports only: the ESM door re-exports names');
const late = await exportNames(`${STORES}index.ts`);
await mkdir(new URL('../dist/', import.meta.url), { recursive: true });

/** The engine's modules that the stores use. @type {Set<string>} */
const shared = new Set();

await build({
  ...common,
  entryPoints: [`${STORES}index.ts`],
  format: 'cjs',
  outfile: 'dist/stores.cjs',
  // In parentheses: V8 then compiles it at once, instead of looking through it first.
  banner: { js: 'module.exports = (function (engine) {\nconst module = { exports: {} };' },
  footer: { js: 'return module.exports;\n});' },
  plugins: [
    {
      name: 'engine',
      setup({ onResolve, onLoad, resolve }) {
        onResolve({ filter: /^\./ }, async ({ path, ...from }) => {
          if (from.pluginData === 'engine') return undefined;
          const found = await resolve(path, { ...from, pluginData: 'engine' });
          const module = relative(root, found.path);
          if (module.startsWith(STORES)) return found;
          shared.add(module);
          return { path: module, namespace: 'engine' };
        });
        onLoad({ filter: /.*/, namespace: 'engine' }, ({ path }) => ({
          contents: `module.exports = engine[${JSON.stringify(path)}];`,
        }));
      },
    },
  ],
});

const modules = [...shared].sort();
await build({
  ...common,
  stdin: {
    resolveDir: root,
    sourcefile: 'dist-index.js',
    contents: `
      ${modules.map((path, i) => `import * as shared${i} from './${path}';`).join('\n')}
      export { ${names.filter((name) => !late.includes(name)).join(', ')} } from './index.ts';
      const engine = { ${modules.map((path, i) => `${JSON.stringify(path)}: shared${i}`).join(', ')} };
      let stores;
      for (const name of ${JSON.stringify(late)})
        Object.defineProperty(module.exports, name, {
          enumerable: true,
          get: () => (stores ??= require('./stores.cjs')(engine))[name],
        });
    `,
  },
  format: 'cjs',
  outfile: 'dist/index.cjs',
  external: ['./stores.cjs'],
  plugins: [
    {
      name: 'no-stores',
      setup({ onResolve }) {
        const path = fileURLToPath(new URL(`../${STORES}index.ts`, import.meta.url));
        onResolve({ filter: /stores\/index\.js$/ }, () => ({ path, sideEffects: false }));
      },
    },
  ],
});
await writeFile(
  new URL('../dist/index.mjs', import.meta.url),
  `import warmshard from './index.cjs';\n\nexport const {\n${names.map((name) => `  ${name},\n`).join('')}} = warmshard;\n`,
);

// `warmshard/register` stands apart from the rest: it is loaded before programs that never ask for a shard. What
// records, transpiles, maps stacks or hooks into ES modules are bundles of their own: a program that finds
// everything loads none of them.
await build({
  ...common,
  entryPoints: {
    register: 'register/index.ts',
    ...Object.fromEntries(
      ['recording', 'typescript', 'stacks', 'esm'].map((name) => [
        `register-${name}`,
        `register/${name}/index.ts`,
      ]),
    ),
  },
  format: 'cjs',
  outdir: 'dist',
  outExtension: { '.js': '.cjs' },
});
const registered = await exportNames('register/index.ts');
await writeFile(
  new URL('../dist/register.mjs', import.meta.url),
  `import register from './register.cjs';\n\nexport const { ${registered.join(', ')} } = register;\n`,
);
