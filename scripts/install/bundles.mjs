// Checks the package in bundles: its JavaScript is bundled into one file, and its binary stays where it was installed.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { run } from './projects.mjs';
import { tool } from './tools.mjs';

/** @param {string} folder @param {Record<string, string>} env */
export async function bundles(folder, env) {
  /** @type {Record<string, () => unknown>} */
  const ways = {
    'esbuild, all in one CommonJS file': () =>
      build({
        ...common(folder),
        entryPoints: [join(folder, 'smoke.cjs')],
        outfile: join(folder, 'out/esbuild.cjs'),
      }),
    'esbuild, an ES module, warmshard external': () =>
      build({
        ...common(folder),
        entryPoints: [join(folder, 'smoke.mjs')],
        format: 'esm',
        external: ['warmshard'],
        outfile: join(folder, 'out/esbuild.mjs'),
      }),
    'webpack, all in one file': () => webpack(folder, env, {}),
    'webpack, warmshard external': () =>
      webpack(folder, env, { externals: { warmshard: 'commonjs warmshard' } }, 'external'),
  };
  for (const [name, bundle] of Object.entries(ways)) {
    const made = await bundle();
    const file =
      typeof made === 'string' ? made : name.includes('ES module') ? 'out/esbuild.mjs' : 'out/esbuild.cjs';
    const out = run([process.execPath, file], folder, env);
    if (!out.includes('smoke: ok')) throw new Error(`${name}: ${out}`);
    console.log(`  ${name}: ok`);
  }
}

/** @param {string} folder @returns {import('esbuild').BuildOptions} */
const common = (folder) => ({
  absWorkingDir: folder,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  logLevel: 'error',
});

/** @param {string} folder @param {Record<string, string>} env @param {object} own */
function webpack(folder, env, own, name = 'webpack') {
  const config = {
    mode: 'production',
    target: 'node',
    context: folder,
    entry: './smoke.cjs',
    output: { path: join(folder, 'out'), filename: `${name}.cjs` },
    ...own,
  };
  writeFileSync(join(folder, `${name}.config.cjs`), `module.exports = ${JSON.stringify(config)};\n`);
  run([process.execPath, tool('webpack-cli/bin/cli.js'), '--config', `${name}.config.cjs`], folder, {
    ...env,
    NODE_PATH: tool(''),
  });
  return `out/${name}.cjs`;
}
