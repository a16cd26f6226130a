// Bundles index.ts into dist/index.cjs, later.cjs, seldom.cjs and stores.cjs, and writes the ES module that re-exports
// them. The other entry points of the package follow.
//
// There is one implementation, the CommonJS one. With a second one in ES modules, a program that imports warmshard, and
// uses a library that requires it, would have two Shard classes and two open handles.
//
// Most of the time of requiring the package would go into compiling its code. So dist/index.cjs contains only what leads
// to the first look-up. Each of the others is a function that gets the exports of dist/index.cjs' modules, and is loaded
// when something in it is first used.

import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, transform } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
/** The modules that the build replaces by code which loads the other bundles. */
const LOADER = 'facade/later.ts';
const SELDOM_LOADER = 'facade/seldom.ts';
/**
 * The functions on the way to the first look-up. If they are in parentheses, V8 compiles them together with the bundle,
 * which takes a third of the time of compiling each at its first call.
 */
const EAGER = [
  'native',
  'isOurs',
  'loadUsual',
  'usualPlaces',
  'isForSnapshot',
  'platformTriple',
  'openBinary',
  'openShard',
  'lookUp',
  'firstGet',
  'absolutePath',
  'openHandle',
  'isResolved',
  'nativeOptions',
  'mustCopy',
  'patience',
  'watch',
  'viewFirst',
  'makeWindow',
];
/** The same for dist/register-opening.cjs, which is compiled whenever a program requests a file. */
const OPENING_EAGER = [
  'trustedVariable',
  'hasOwnRights',
  'platformTriple',
  'usualPlaces',
  'isForSnapshot',
  'candidates',
  'openBinary',
  'load',
  'tryPlace',
  'addon',
  'objection',
  'openShim',
  'compiler',
  'openProgram',
  'defaultPath',
  'profile',
  'begin',
  'takeEarly',
  'bundle',
  'compiled',
  'scriptOf',
];
/** Finds the globals that `warmshard/register` uses, and saves in register/beginning.ts. */
const HELD = /\bglobals = \{([^}]*)\}/;
const [, held = ''] =
  HELD.exec(await readFile(new URL('../register/beginning.ts', import.meta.url), 'utf8')) ?? [];
const GLOBALS = held.match(/\w+/g) ?? [];
/** The entries of the other bundles. */
const LATER = 'facade/later/index.ts';
const SELDOM = 'facade/seldom/index.ts';
const STORES = 'facade/stores/index.ts';

const TARGET = 'node20';
/** @type {import('esbuild').BuildOptions} */
const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: TARGET,
  // Repeated here, because esbuild does not read tsconfig.json for files that a plugin has found.
  tsconfigRaw: { compilerOptions: { useDefineForClassFields: false } },
  legalComments: 'none',
  logLevel: 'warning',
};

/**
 * Replaces modules by text. Modules of the other bundles are dropped if nothing in them is used.
 *
 * @param {(module: string) => string | undefined} text
 * @returns {import('esbuild').Plugin}
 */
const instead = (text) => ({
  name: 'instead',
  setup({ onResolve, onLoad, resolve }) {
    onResolve({ filter: /^\./ }, async ({ path, pluginData, ...from }) => {
      if (pluginData === 'found') return undefined;
      const found = await resolve(path, { ...from, pluginData: 'found' });
      const module = relative(root, found.path);
      if (text(module) !== undefined) return { path: module, namespace: 'instead' };
      return { ...found, sideEffects: !/^facade\/(later|seldom|stores)\//.test(module) };
    });
    onLoad({ filter: /.*/, namespace: 'instead' }, ({ path }) => ({
      contents: text(path) ?? '',
      resolveDir: root,
    }));
  },
});

/**
 * Those modules, and what each of them exports.
 *
 * @type {Record<string, string>}
 */
const loaders = { [LOADER]: 'later', [SELDOM_LOADER]: 'seldom' };

/**
 * What a module exports, and the modules that it consists of. The exports of a CommonJS bundle are known only once it has
 * run, and that takes a native binary. The same entry bundled as an ES module states them.
 *
 * @param {string} entry
 */
async function look(entry) {
  const { metafile } = await build({
    ...common,
    entryPoints: [entry],
    format: 'esm',
    write: false,
    metafile: true,
    outfile: 'names.mjs',
    plugins: [instead((module) => loaders[module] && `export const ${loaders[module]} = 0;`)],
  });
  const outputs = Object.values(metafile.outputs);
  return {
    names: outputs.flatMap((output) => output.exports).sort(),
    modules: outputs.flatMap((output) => Object.keys(output.inputs)).sort(),
  };
}

/**
 * Writes a bundle for the package. It is made from text instead of an entry, because the code that esbuild puts around
 * the exports of an entry takes time at each start.
 *
 * @param {object} options
 * @param {string} options.file
 * @param {string} options.contents
 * @param {string[]} [options.eager]
 * @param {string} [options.globals] code for the object from which the bundle takes the globals that it uses
 * @param {boolean} [options.short] whether names are shortened, so that V8, which parses it at each start, is faster
 * @param {import('esbuild').BuildOptions} [options.how]
 */
async function bundle({ file, contents, eager = [], globals, short = false, how: { banner, ...how } = {} }) {
  const { outputFiles } = await build({
    ...common,
    ...how,
    write: false,
    stdin: { contents, resolveDir: root, sourcefile: file },
    format: 'cjs',
    outfile: file,
  });
  // Comments: esbuild keeps those in classes.
  const made = (outputFiles?.[0]?.text ?? '').replaceAll(
    /^ *\/\*\*[\s\S]*?\*\/\n|^ *\/\/ (?!register\S+\.ts$).*\n/gm,
    '',
  );
  // A class that refers to itself gets another name from esbuild, which stack traces and `util.inspect` would show.
  const named = [...made.matchAll(/^var (\w+) = class _\1\b/gm)].reduce(
    (text, [, name]) => text.replaceAll(new RegExp(`\\b_${name}\\b`, 'g'), `${name}`),
    made,
  );
  const beside = named.replace(HELD, '');
  const used = GLOBALS.filter((name) => new RegExp(`(?<!\\.)\\b${name}\\b`).test(beside));
  const head = globals ? `const { ${used.join(', ')} } = ${globals};\n` : '';
  const text = `${banner?.js ?? ''}\n${head}${named}`.trimStart();
  const ready = eager.reduce((text, name) => {
    const all = text.split(new RegExp(`^function ${name}(\\([^]*?^\\})$`, 'm'));
    if (all.length !== 3) throw new Error(`${file} has no function ${name}, or has two`);
    return `${all[0]}var ${name} = (function ${name}${all[1]});${all[2]}`;
  }, text);
  const { code } = short
    ? await transform(ready, { target: TARGET, format: 'cjs', minify: true, lineLimit: 120 })
    : { code: ready };
  await writeFile(new URL(`../${file}`, import.meta.url), code);
}

const { names } = await look('index.ts');
if (names.length === 0) throw new Error('index.ts exports nothing');
if (names.includes('default'))
  throw new Error('index.ts must have named exports only: the ESM door re-exports names');
const bundles = [
  { load: 'later', entry: LATER, names: [] },
  { load: 'seldom', entry: SELDOM, names: [] },
  { load: 'stores', entry: STORES, names: (await look(STORES)).names },
];
const late = bundles.flatMap((bundle) => bundle.names);
const own = names.filter((name) => !late.includes(name));

/** The modules of dist/index.cjs. */
const engine = (await look('facade/shard.ts')).modules.filter((module) => !module.startsWith('instead:'));

/** What the modules of dist/index.cjs export, by the module. The other bundles get all of it in one object. */
const given = new Map(
  await Promise.all(
    engine.map(async (module) => /** @type {const} */ ([module, (await look(module)).names])),
  ),
);
const every = [...given.values()].flat();
if (new Set(every).size < every.length)
  throw new Error(`two modules of ${engine.join(', ')} export one name`);

await mkdir(new URL('../dist/', import.meta.url), { recursive: true });
for (const { load, entry } of bundles) {
  const { names } = await look(entry);
  await bundle({
    file: `dist/${load}.cjs`,
    contents: `import { ${names.join(', ')} } from './${entry}'; module.exports = { ${names.join(', ')} };`,
    how: {
      // In parentheses, so that V8 compiles it at once, instead of only parsing it first.
      banner: { js: 'module.exports = (function (engine) {\nconst module = { exports: {} };' },
      footer: { js: 'return module.exports;\n});' },
      plugins: [
        instead((module) => {
          const names = loaders[module] ? [loaders[module]] : given.get(module);
          return names && `export const { ${names.join(', ')} } = engine;`;
        }),
      ],
    },
  });
}

const loader = `
  ${[...given].map(([module, names]) => `import { ${names.join(', ')} } from './${module}';`).join('\n')}
  const engine = () => ({ later, seldom, ${every.join(', ')} });
  const loaded = {};
  // Loading may fail because no file descriptor is left, for example. Node.js 24 and later then report only that they
  // cannot use a package.json. Reading the bundle fails for the same reason, and that error says why.
  const load = (name, bundle) => {
    try {
      return bundle();
    } catch (thrown) {
      let error = thrown;
      if (thrown.code === 'ERR_INVALID_PACKAGE_CONFIG')
        try {
          require('node:fs').readFileSync(\`\${__dirname}/\${name}.cjs\`);
        } catch (told) {
          error = told;
        }
      if (error.errno === undefined) throw thrown;
      throw refused(error, 'close some files, or install warmshard again');
    }
  };
  ${bundles
    .map(
      ({ load }) =>
        `export const ${load} = () => (loaded.${load} ??= load('${load}', () => require('./${load}.cjs')(engine())));`,
    )
    .join('\n')}
`;
await bundle({
  file: 'dist/index.cjs',
  eager: EAGER,
  contents: `
    import { ${own.join(', ')} } from './index.ts';
    import { ${bundles.map(({ load }) => load).join(', ')} } from './${LOADER}';
    module.exports = { ${own.join(', ')} };
    ${bundles
      .filter(({ names }) => names.length > 0)
      .map(
        ({ load, names }) => `for (const name of ${JSON.stringify(names)})
          Object.defineProperty(module.exports, name, { get: () => ${load}()[name], enumerable: true, configurable: true });`,
      )
      .join('\n')}
    Object.defineProperty(module.exports, '__esModule', { value: true });
  `,
  how: {
    external: bundles.map(({ load }) => `./${load}.cjs`),
    plugins: [
      instead((module) => {
        if (module === LOADER) return loader;
        return module === SELDOM_LOADER ? `export { seldom } from './${LOADER}';` : undefined;
      }),
    ],
  },
});
await writeFile(
  new URL('../dist/index.mjs', import.meta.url),
  `import warmshard from './index.cjs';\n\nexport const {\n${names.map((name) => `  ${name},\n`).join('')}} = warmshard;\n`,
);

// `warmshard/register` is separate from the rest, because it is loaded before programs that never use the package itself.
// dist/register.cjs is all that a program needs if it requests no file; register-rest.cjs contains the hooks. Recording,
// transpiling, mapping stacks, hooking into ES modules and scanning texts are further bundles: a program that finds
// everything in the shard loads none of them.
const { names: registered } = await look('register/index.ts');
await bundle({
  file: 'dist/register.cjs',
  globals: 'globalThis',
  short: true,
  eager: [
    'isFirst',
    'place',
    'watchHooks',
    'readHandler',
    'isMainRunning',
    'asMethod',
    'isPassed',
    'onRequest',
    'lookForMain',
    'mayWait',
    'open',
  ],
  contents: `
    import { ${registered.join(', ')} } from './register/index.ts';
    import { open } from './register/door.ts';
    module.exports = open({ ${registered.map((name) => `${name}: (...given) => ${name}(...given)`).join(', ')} });
    Object.defineProperty(module.exports, '__esModule', { value: true });
  `,
});
/** The next two bundles are functions that get what the bundles before them export. */
const beginning = 'export const beginning = given;';
const { names: opened } = await look('register/opening.ts');
const { names: started } = await look('register/rest.ts');
for (const [name, names, eager, parameters] of /** @type {[string, string[], string[], string][]} */ ([
  ['opening', opened, OPENING_EAGER, 'given'],
  ['rest', started, [], 'given, opening'],
]))
  await bundle({
    file: `dist/register-${name}.cjs`,
    eager,
    globals: 'given.globals',
    short: name === 'opening',
    contents: `import { ${names.join(', ')} } from './register/${name}.ts'; module.exports = { ${names.join(', ')} };`,
    how: {
      banner: { js: `module.exports = (function (${parameters}) {\nconst module = { exports: {} };` },
      footer: { js: 'return module.exports;\n});' },
      plugins: [
        instead((module) => {
          if (module === 'register/beginning.ts') return beginning;
          if (module === 'register/opening.ts' && name === 'rest')
            return `export const { ${opened.join(', ')} } = opening;`;
          return undefined;
        }),
      ],
    },
  });
const licence = await readFile(new URL('../node_modules/es-module-lexer/LICENSE', import.meta.url), 'utf8');
for (const name of ['importing', 'recording', 'typescript', 'stacks', 'esm', 'failure', 'scan']) {
  const entry = `register/${name}/index.ts`;
  const { names } = await look(entry);
  await bundle({
    file: `dist/register-${name}.cjs`,
    globals: 'module.beginning.globals',
    short: name === 'importing',
    contents: `import { ${names.join(', ')} } from './${entry}'; module.exports = { ${names.join(', ')} };`,
    how: {
      ...(name === 'scan' && {
        banner: { js: `/* es-module-lexer is in this file.\n${licence.trim()}\n*/` },
      }),
      plugins: [
        instead((module) =>
          module === 'register/beginning.ts' ? 'export const { beginning } = module;' : undefined,
        ),
      ],
    },
  });
}
await writeFile(
  new URL('../dist/register.mjs', import.meta.url),
  `import register from './register.cjs';\n\nexport const { ${registered.join(', ')} } = register;\n`,
);

// The command. It has its own copy of the loader, to report what that tries, and loads dist/index.cjs for the rest.
await build({
  ...common,
  entryPoints: ['cli/index.ts'],
  format: 'cjs',
  outfile: 'dist/cli.cjs',
  banner: { js: '#!/usr/bin/env node' },
  external: ['./index.cjs', '../package.json'],
  plugins: [
    instead((module) =>
      module === SELDOM_LOADER
        ? `import * as failure from './facade/seldom/load-failure.ts'; export const seldom = () => failure;`
        : undefined,
    ),
  ],
});
await chmod(new URL('../dist/cli.cjs', import.meta.url), 0o755);

// `warmshard/keyv`: the adapter between Keyv and `Shard`. It takes classes and state from dist/index.cjs, which it loads.
const { names: keyv } = await look('keyv/index.ts');
await bundle({
  file: 'dist/keyv.cjs',
  contents: `
    import { ${keyv.join(', ')} } from './keyv/index.ts';
    module.exports = { ${keyv.join(', ')} };
    Object.defineProperty(module.exports, '__esModule', { value: true });
  `,
  how: {
    external: ['./index.cjs'],
    plugins: [
      instead((module) => {
        if (module === 'index.ts') return `export { ${names.join(', ')} } from './index.cjs';`;
        if (module !== 'facade/errors.ts') return undefined;
        return `
          import { WarmshardError } from './index.cjs';
          export const invalid = (message) => new WarmshardError('ERR_INVALID_ARG', message);
          export { WarmshardError };
        `;
      }),
    ],
  },
});
await writeFile(
  new URL('../dist/keyv.mjs', import.meta.url),
  `import keyv from './keyv.cjs';\n\nexport const { ${keyv.join(', ')} } = keyv;\n`,
);
