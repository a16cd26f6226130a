import type { Task, Transpile } from './transpiler.js';

/** The part of esbuild that is used. */
interface Esbuild {
  transformSync(source: string, options: object): { code: string; map: string };
}

/** The levels of the language that esbuild can compile to. */
const TARGET = /^es(2015|6|20\d\d)$/i;

/** Features that the runtime has at any `target`, and that cannot be compiled to older syntax. */
const SUPPORTED = {
  'arbitrary-module-namespace-names': true,
  bigint: true,
  'import-attributes': true,
  'import-meta': true,
  'top-level-await': true,
};

/** What replaces `import.meta` in a CommonJS module. */
const META = {
  banner: 'const __importMetaUrl = require("node:url").pathToFileURL(__filename).href;',
  define: {
    'import.meta.url': '__importMetaUrl',
    'import.meta.filename': '__filename',
    'import.meta.dirname': '__dirname',
  },
};

function optionsFor({ source, filename, esm, options, canImport }: Task): object {
  const { target = '', jsx } = options;
  const { baseUrl, paths, target: _, ...compilerOptions } = options;
  const meta = !esm && /\bimport\.meta\b/.test(source);
  return {
    loader: /\.[cm]?ts$/.test(filename) ? 'ts' : filename.endsWith('.tsx') ? 'tsx' : 'jsx',
    format: esm ? 'esm' : 'cjs',
    platform: 'node',
    target: [`node${process.versions.node}`, ...(TARGET.test(target) ? [target.toLowerCase()] : [])],
    supported: { ...SUPPORTED, 'dynamic-import': esm || canImport },
    sourcefile: filename,
    sourcemap: 'external',
    sourcesContent: false,
    charset: 'utf8',
    logLevel: 'silent',
    tsconfigRaw: {
      compilerOptions: {
        ...compilerOptions,
        // In this place it decides only how class fields are defined.
        ...(target !== '' && { target }),
        // These leave JSX to a later tool, but no other tool follows.
        ...(/^(preserve|react-native)$/.test(jsx ?? '') && { jsx: 'react-jsx' }),
      },
    },
    ...(meta && META),
  };
}

export function esbuild(loaded: unknown): Transpile {
  const { transformSync } = loaded as Esbuild;
  return (task) => transformSync(task.source, optionsFor(task));
}
