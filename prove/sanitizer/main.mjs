// Runs tests of the core, and the addon in a real Node.js, under AddressSanitizer, which ends the process at the first error.
// Before that, a deliberate read beyond the end of an allocation shows that it works in both. Then tests of the core run under
// valgrind's memcheck.
//
// No nightly toolchain is needed: `RUSTC_BOOTSTRAP` makes the stable compiler accept the flag. Rust's own runtime is linked into
// the tests. The addon needs a runtime that is loaded before Node.js: that of the system's C compiler is preloaded.

import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { options, report, scratch, skipped } from '../lib/options.mjs';

/** @type {Record<string, string>} */
const TARGETS = { x64: 'x86_64-unknown-linux-gnu', arm64: 'aarch64-unknown-linux-gnu' };
const TARGET = TARGETS[process.arch] ?? '';
/** Tests of the core that decode bytes, map files or use unsafe code. */
const CORE = [
  'fuzz_shard',
  'fuzz_decoders',
  'windows',
  'garbage',
  'forged_frames',
  'damage',
  'basics',
  'quick_way',
  'large_batches',
];
/** Tests of the package that lend memory to JavaScript, take it from there, or end while it is in use. */
const PACKAGE = [
  ...[
    'views',
    'slabs',
    'large-values',
    'lifetime',
    'closing',
    'parts',
    'batches',
    'hostile-batches',
    'bad-arguments',
  ],
  ...[
    'worker-threads',
    'async-work',
    'script-parts',
    'artifact-payloads',
    'pipeline-disk',
    'damage',
    'values',
  ],
].map((name) => `__test__/${name}.test.ts`);
/** Tests of the core that take only minutes under valgrind. */
const MEMCHECK = [
  ...['windows', 'basics', 'quick_way', 'large_batches', 'reads_never_wait', 'turns'],
  'unreadable_moments',
];
const OURS = 'AddressSanitizer: heap-buffer-overflow';

const { seconds, seed } = options(60);
const root = fileURLToPath(new URL('../..', import.meta.url));
const out = `${root}/target/sanitizer`;
const dir = scratch();
const flags = '-Zsanitizer=address --cfg warmshard_sanitizer';
const building = { ...process.env, RUSTC_BOOTSTRAP: '1', RUSTFLAGS: flags, CARGO_TARGET_DIR: out };
if (process.platform === 'linux' && TARGET) {
  core();
  addon();
  memcheck();
} else skipped('AddressSanitizer', 'only on Linux');

/** @param {string} command @param {string[]} args @param {NodeJS.ProcessEnv} env @param {number} [timeout] in milliseconds */
function run(command, args, env, timeout = 0) {
  const { status, signal, stdout, stderr, error } = spawnSync(command, args, {
    cwd: root,
    env,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    timeout,
  });
  return { ok: status === 0, how: signal ?? status ?? error, out: stdout, said: `${stdout}${stderr}` };
}

/** The output from the first error on, or else its end. @param {string} said */
function end(said) {
  const from = said.search(/==\d+==ERROR|panicked at|error(\[|:)/);
  return said.slice(from < 0 ? -2000 : from, from < 0 ? undefined : from + 3000).split('\n');
}

/** How many tests have passed according to cargo. @param {string} said */
function passedOf(said) {
  return [...said.matchAll(/^test result: .* (\d+) passed/gm)].reduce((sum, it) => sum + Number(it[1]), 0);
}

function core() {
  const cargo = ['test', '-p', 'warmshard-core', '--target', TARGET];
  const broken = run('cargo', [...cargo, '--test', 'sanitizer', '--', '--ignored'], building);
  if (broken.ok || !broken.said.includes(OURS))
    return void report('sanitizer, core', 'it does not find a read beyond the end', end(broken.said));
  const tests = run('cargo', [...cargo, '--lib', ...CORE.flatMap((name) => ['--test', name])], {
    ...building,
    WARMSHARD_FUZZ_INPUTS: process.env.WARMSHARD_FUZZ_INPUTS ?? '6000',
  });
  const passed = passedOf(tests.said);
  report(
    'sanitizer, core',
    `${passed} tests under AddressSanitizer`,
    tests.ok && passed > 0 ? [] : end(tests.said),
  );
}

function addon() {
  const built = run('cargo', ['build', '-p', 'warmshard', '--target', TARGET], building);
  if (!built.ok) return void report('sanitizer, addon', 'it was not built', end(built.said));
  const binary = `${dir}/warmshard.node`;
  copyFileSync(`${out}/${TARGET}/debug/libwarmshard.so`, binary);
  const runtime = spawnSync('cc', ['-print-file-name=libasan.so'], { encoding: 'utf8' }).stdout?.trim();
  if (!runtime || !existsSync(runtime))
    return skipped('sanitizer, addon', 'the C compiler has no libasan.so');
  const env = {
    ...process.env,
    LD_PRELOAD: runtime,
    // V8 does not free its memory at the end, so leaks cannot be detected.
    ASAN_OPTIONS: 'detect_leaks=0:abort_on_error=0:exitcode=99',
    WARMSHARD_NATIVE_PATH: binary,
    // The fast door is a second binary, which is not built with the sanitizer.
    WARMSHARD_FAST: '0',
  };
  const broken = run(process.execPath, ['-e', `require(${JSON.stringify(binary)}).readBehindTheEnd()`], env);
  if (broken.ok || !broken.said.includes(OURS))
    return void report('sanitizer, addon', 'it does not find a read beyond the end', end(broken.said));
  const child = fileURLToPath(new URL('../fuzz/child.mjs', import.meta.url));
  const note = `${dir}/note`;
  const fuzz = run(
    process.execPath,
    ['--expose-gc', child, `${dir}/files`, note, `${seed}`, `${seconds}`],
    env,
  );
  const told = fuzz.ok ? JSON.parse(fuzz.out) : undefined;
  report(
    'sanitizer, addon, any bytes',
    told
      ? `${told.inputs} inputs, ${told.calls} calls`
      : `ended with ${fuzz.how} at ${readFileSync(note, 'utf8')}`,
    told ? told.wrong : end(fuzz.said),
  );
  // One file at a time: under the sanitizer each process needs some hundred MiB, and an error is easy to assign to its file.
  /** @type {string[]} */
  const wrong = [];
  let passed = 0;
  for (const file of PACKAGE) {
    const tests = run('npx', ['ava', '--timeout=5m', file], env, 600_000);
    passed += Number(/(\d+) tests? passed/.exec(tests.said)?.[1] ?? 0);
    if (!tests.ok || tests.said.includes('AddressSanitizer'))
      wrong.push(`${file} ended with ${tests.how}`, ...end(tests.said));
  }
  report('sanitizer, addon, tests', `${passed} tests in ${PACKAGE.length} files`, wrong);
}

/** Valgrind also finds reads of uninitialised memory, which AddressSanitizer does not; it is slow. */
function memcheck() {
  if (spawnSync('valgrind', ['--version']).status !== 0)
    return skipped('memcheck, core', 'there is no valgrind');
  const runner = `CARGO_TARGET_${TARGET.toUpperCase().replaceAll('-', '_')}_RUNNER`;
  const tests = run(
    'cargo',
    ['test', '-p', 'warmshard-core', '--lib', ...MEMCHECK.flatMap((name) => ['--test', name])],
    { ...process.env, [runner]: 'valgrind --quiet --error-exitcode=99' },
  );
  const complaint = /^==\d+== \w/m.exec(tests.said);
  report(
    'memcheck, core',
    `${passedOf(tests.said)} tests under valgrind`,
    tests.ok && !complaint ? [] : end(tests.said),
  );
}
