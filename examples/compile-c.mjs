// A compiler's output in an ArtifactStore: objects, dependency files, warnings and exit codes of the real C sources
// that come with the development dependencies. What fails to compile is remembered, too.
//
//   node examples/compile-c.mjs [folder]
//
// One process compiles everything. A second one finds it all and runs only the preprocessor, whose output is the key. A
// third one finds the index destroyed and has it rebuilt. Exits with 1 if anything differs from the compiler's output.

import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ArtifactStore } from 'warmshard';

const COMPILER = process.env.CC ?? 'cc';
const FLAGS = ['-O1', '-Wall', '-Wextra', '-ffile-prefix-map=/=/'];
const root = fileURLToPath(new URL('..', import.meta.url));
const folders = ['lmdb/dependencies/lmdb/libraries/liblmdb', 'lmdb/dependencies/lz4/lib'];

/** The sources of the example: all of two real libraries. */
function sources() {
  return folders.flatMap((folder) => {
    const path = join(root, 'node_modules', folder);
    return readdirSync(path)
      .filter((name) => name.endsWith('.c'))
      .map((name) => join(path, name));
  });
}

/** @param {string[]} args */
const run = (args) => spawnSync(COMPILER, args, { encoding: 'buffer', maxBuffer: 1 << 28 });

/** The key of a source: everything that can change what the compiler makes of it. */
function keyOf(/** @type {string} */ source, /** @type {string} */ version) {
  const { stdout, stderr, status } = run(['-E', ...FLAGS, source]);
  const hash = createHash('sha256');
  for (const part of [version, FLAGS.join('\0'), stdout, status === 0 ? '' : stderr]) {
    hash.update(`${Buffer.byteLength(part)}:`);
    hash.update(part);
  }
  return hash.digest('hex');
}

/** Runs the compiler. Returns what goes into the store. */
function compile(/** @type {string} */ source, /** @type {string} */ into) {
  const object = join(into, 'out.o');
  const dependencies = join(into, 'out.d');
  for (const file of [object, dependencies]) rmSync(file, { force: true });
  const { status, stdout, stderr } = run([
    ...['-c', ...FLAGS, '-MMD', '-MF', dependencies],
    ...['-MT', basename(source), '-o', object, source],
  ]);
  const outputs = status === 0 ? [readFileSync(object), readFileSync(dependencies)] : [];
  const name = basename(source, '.c');
  return {
    meta: {
      outputNames: status === 0 ? [`${name}.o`, `${name}.d`] : [],
      outputSizes: outputs.map((output) => output.length),
      stdout,
      stderr,
      exitCode: status ?? -1,
    },
    outputs,
  };
}

/** One build: each source from the store or, if it is missing there, from the compiler. */
function build(/** @type {string} */ dir, /** @type {boolean} */ check) {
  const temporary = mkdtempSync(join(tmpdir(), 'warmshard-cc-'));
  const version = execFileSync(COMPILER, ['--version'], { encoding: 'utf8' });
  const store = ArtifactStore.open(dir, { maxBytes: 256 * 1024 * 1024 });
  const report = { compiled: 0, found: 0, failures: 0, warnings: 0, bytes: 0, ns: 0, differences: 0 };
  try {
    for (const source of sources()) {
      const key = keyOf(source, version);
      const start = process.hrtime.bigint();
      let meta = store.get(key);
      let outputs = meta?.outputNames.map((_, i) => store.output(key, i));
      if (meta === undefined || outputs?.includes(undefined)) {
        const made = compile(source, temporary);
        // Outputs first: a process that finds the metadata finds the outputs, too.
        store.putOutputs(key, made.outputs, { pack: true });
        store.insert(key, made.meta);
        meta = store.get(key);
        outputs = made.outputs;
        report.compiled++;
      } else report.found++;
      report.ns += Number(process.hrtime.bigint() - start);
      if (meta === undefined) throw new Error(`${source} was stored and is not there`);
      report.failures += Number(meta.exitCode !== 0);
      report.warnings += Buffer.from(meta.stderr).toString('utf8').split('warning:').length - 1;
      report.bytes += outputs?.reduce((sum, output) => sum + (output?.length ?? 0), 0) ?? 0;
      if (check) report.differences += Number(!sameAsCompiled(source, temporary, meta, outputs ?? []));
    }
    store.flush();
  } finally {
    store.close();
    rmSync(temporary, { recursive: true, force: true });
  }
  return report;
}

/** @param {string} source @param {string} into @param {{ stderr: string | Uint8Array, exitCode: number }} meta @param {(Uint8Array | undefined)[]} outputs */
function sameAsCompiled(source, into, meta, outputs) {
  const fresh = compile(source, into);
  return (
    fresh.meta.exitCode === meta.exitCode &&
    fresh.outputs.length === outputs.length &&
    fresh.outputs.every((output, i) => output.equals(outputs[i] ?? new Uint8Array())) &&
    Buffer.from(meta.stderr).equals(fresh.meta.stderr)
  );
}

if (process.argv[2] === '--build') {
  console.log(JSON.stringify(build(process.argv[3] ?? '', process.argv[4] === 'check')));
} else {
  const given = process.argv[2];
  const dir = given ?? mkdtempSync(join(tmpdir(), 'warmshard-artifacts-'));
  const inProcess = (/** @type {string} */ check) =>
    JSON.parse(
      execFileSync(process.execPath, [fileURLToPath(import.meta.url), '--build', dir, check], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'inherit'],
      }),
    );
  const ms = (/** @type {number} */ ns) => `${(ns / 1e6).toFixed(1)} ms`;
  try {
    const cold = inProcess('');
    console.log(
      `compiled ${cold.compiled} of ${sources().length} sources in ${ms(cold.ns)}: ` +
        `${cold.bytes} bytes, ${cold.warnings} warnings, ${cold.failures} that do not compile here`,
    );
    const warm = inProcess('');
    console.log(`found    ${warm.found} in ${ms(warm.ns)}, compiled ${warm.compiled}`);
    writeFileSync(join(dir, 'index.shard'), 'this was an index');
    const rebuilt = inProcess('check');
    console.log(`found    ${rebuilt.found} after the index was destroyed; ${rebuilt.differences} differ`);
    const all = sources().length;
    const ok =
      warm.found === all &&
      rebuilt.found === all &&
      rebuilt.differences === 0 &&
      warm.bytes === rebuilt.bytes;
    console.log(ok ? 'every artifact is what the compiler makes' : 'SOMETHING DIFFERS');
    process.exitCode = ok ? 0 : 1;
  } finally {
    if (given === undefined) rmSync(dir, { recursive: true, force: true });
  }
}
