// The programs: how each is started, and an edit of one of its sources that changes what it prints or writes.

/**
 * @typedef {object} Program
 * @property {string} name
 * @property {'CommonJS' | 'mixed' | 'ESM'} kind the kind of most of its modules; mixed if it has many of both
 * @property {string} bin path below node_modules
 * @property {string[]} args
 * @property {number} [exit] its exit code, if not 0
 * @property {[file: string, from: string, to: string]} edit `from` and `to` have the same length, so that only the
 *   file's contents and time change, not its size; the file is in node_modules or in the project
 * @property {string} [cached] the cache that it switches on by itself
 * @property {boolean} [quick] whether its first run is timed in a quick run, too
 */

/** @type {Program[]} */
export const PROGRAMS = [
  {
    name: 'tsc --version',
    kind: 'CommonJS',
    bin: 'typescript/bin/tsc',
    args: ['--version'],
    edit: ['node_modules/typescript/lib/_tsc.js', 'version = "5.', 'version = "4.'],
    cached: 'built-in',
    quick: true,
  },
  {
    name: 'tsc -p',
    kind: 'CommonJS',
    bin: 'typescript/bin/tsc',
    args: ['-p', 'types'],
    exit: 2,
    edit: [
      'node_modules/typescript/lib/_tsc.js',
      `"Type '{0}' is not assignable to type '{1}'."`,
      `"Type '{0}' is not assignable to typo '{1}'."`,
    ],
    cached: 'built-in',
  },
  {
    name: 'eslint',
    kind: 'CommonJS',
    bin: 'eslint/bin/eslint.js',
    args: ['src'],
    exit: 1,
    edit: ['eslint.config.cjs', 'first wording', 'other wording'],
    cached: 'built-in',
    quick: true,
  },
  {
    name: 'webpack',
    kind: 'CommonJS',
    bin: 'webpack/bin/webpack.js',
    args: ['--stats=errors-warnings'],
    edit: ['webpack.config.cjs', 'built as one', 'built as two'],
    cached: 'built-in',
    quick: true,
  },
  {
    name: 'rollup',
    kind: 'CommonJS',
    bin: 'rollup/dist/bin/rollup',
    args: ['-c', 'rollup.config.cjs', '--silent'],
    edit: ['rollup.config.cjs', 'built as one', 'built as two'],
  },
  {
    name: 'babel',
    kind: 'CommonJS',
    bin: '@babel/cli/bin/babel.js',
    args: ['src', '--out-dir', 'out'],
    edit: ['babel.config.cjs', 'helper of old', 'helper of new'],
    cached: 'built-in',
  },
  {
    name: 'jest',
    kind: 'CommonJS',
    bin: 'jest/bin/jest.js',
    args: ['--runInBand', '--verbose=false'],
    edit: ['jest.config.cjs', "'first'", "'other'"],
  },
  {
    name: 'mocha',
    kind: 'mixed',
    bin: 'mocha/bin/mocha.js',
    args: ['test/plain.spec.cjs', 'test/module.spec.mjs'],
    edit: ['test/plain.spec.cjs', 'adds first', 'adds other'],
  },
  {
    name: 'prettier',
    kind: 'ESM',
    bin: 'prettier/bin/prettier.cjs',
    args: ['src'],
    edit: ['prettier.config.cjs', 'printWidth: 60', 'printWidth: 40'],
    cached: 'built-in',
  },
  {
    name: 'ts-node',
    kind: 'CommonJS',
    bin: 'ts-node/dist/bin.js',
    args: ['--transpile-only', '--project', 'types/tsconfig.json', 'types/main.ts'],
    edit: ['types/text.ts', '`  $', '`--$'],
  },
  {
    name: 'sass',
    kind: 'CommonJS',
    bin: 'sass/sass.js',
    args: ['styles/main.scss'],
    edit: ['node_modules/sass/sass.js', 'argv.slice(2)', 'argv.slice(3)'],
  },
  {
    name: 'stylus',
    kind: 'CommonJS',
    bin: 'stylus/bin/stylus',
    args: ['--print', 'styles/main.styl'],
    edit: ['node_modules/stylus/lib/visitor/compiler.js', "' {\\n'", "'~{\\n'"],
  },
  {
    name: 'yarn --version',
    kind: 'CommonJS',
    bin: 'yarn/bin/yarn.js',
    args: ['--version'],
    edit: ['node_modules/yarn/lib/cli.js', '"1.22.22"', '"1.22.99"'],
    cached: 'v8-compile-cache',
  },
  {
    name: 'pnpm --version',
    kind: 'CommonJS',
    bin: 'pnpm/bin/pnpm.cjs',
    args: ['--version'],
    edit: ['node_modules/pnpm/dist/pnpm.cjs', ' version: pkgJson.version', ' version: pkgJson.private'],
    cached: 'built-in',
  },
  {
    name: 'npm --version',
    kind: 'CommonJS',
    bin: 'npm/bin/npm-cli.js',
    args: ['--version'],
    edit: ['node_modules/npm/lib/npm.js', 'output.standard(this.version)', 'output.standard(this.command)'],
    cached: 'built-in',
  },
];
