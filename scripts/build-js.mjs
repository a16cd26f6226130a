// Bundles index.ts into dist/index.cjs, later.cjs, seldom.cjs and stores.cjs, and writes the ES module door to them.
//
// There is one implementation, the CommonJS one. Were ESM bundled too, a program that imports warmshard
// while a library of its requires it would hold two Shard classes and two open handles.
//
// Compiling the code is what requiring the package would spend its time on. So dist/index.cjs has what leads to the
// first look-up, and no more. The others are functions of its modules, called when something of theirs is asked for.

import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, transform } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
/** The modules that stand for what loads the other bundles. */
const LOADER = 'facade/later.ts';
const SELDOM_LOADER = 'facade/seldom.ts';
/**
 * The functions on the way to the first look-up. In parentheses V8 compiles them with the bundle, in a third of the
 * time that compiling each at its first call takes.
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
/** The same of dist/register-opening.cjs, which is compiled whenever a program asks for a file. */
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
/** The names of the language and of Node.js that `warmshard/register` uses, and holds on to. */
const HELD = /\bglobals = \{([^}]*)\}/;
const [, held = ''] =
  HELD.exec(await readFile(new URL('../register/beginning.ts', import.meta.url), 'utf8')) ?? [];
const GLOBALS = held.match(/\w+/g) ?? [];
/** What the other bundles export. */
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
  // Said here again, for esbuild asks no tsconfig.json about files that a plugin has found.
  tsconfigRaw: { compilerOptions: { useDefineForClassFields: false } },
  legalComments: 'none',
  logLevel: 'warning',
};

/**
 * Has text take the place of modules. Those of the other bundles are dropped where nothing of theirs is used.
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
 * What stands in those modules.
 *
 * @type {Record<string, string>}
 */
const loaders = { [LOADER]: 'later', [SELDOM_LOADER]: 'seldom' };

/**
 * What a module exports, and what it is made of. The names that a CommonJS bundle exports exist only once it has run,
 * and it runs only beside a native binary. The same entry bundled as an ES module states them.
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
 * Writes a bundle that a program loads by itself: of text instead of an entry, for what esbuild puts around the exports
 * of an entry takes a start some time.
 *
 * @param {object} options
 * @param {string} options.file
 * @param {string} options.contents
 * @param {string[]} [options.eager]
 * @param {string} [options.globals] what has those of the globals' names that it uses, whatever the program made of them
 * @param {boolean} [options.short] whether V8 reads it each time anew, and takes less for shorter names
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
  // esbuild keeps those that stand in classes.
  const made = (outputFiles?.[0]?.text ?? '').replaceAll(
    /^ *\/\*\*[\s\S]*?\*\/\n|^ *\/\/ (?!register\S+\.ts$).*\n/gm,
    '',
  );
  // esbuild calls a class that names itself otherwise inside, where stacks and `util.inspect` tell it by its name.
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
      // In parentheses: V8 then compiles it at once, instead of looking through it first.
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
  // Without a descriptor left, for instance. Node.js 24 and later stumble over a package.json then, and do not say why:
  // the bundle, which cannot be opened either, does.
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

// `warmshard/register` stands apart from the rest: it is loaded before programs that never ask for a shard.
// dist/register.cjs is all that a program needs which asks for no file; register-rest.cjs has the hooks. What
// records, transpiles, maps stacks, hooks into ES modules or scans texts are bundles of their own again: a program that finds
// everything loads none of them.
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
/** The two bundles behind the door are functions of what the ones before have given. */
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

// The command. It has a loader of its own, to see what it tries, and nothing else of dist/index.cjs, which it loads.
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
