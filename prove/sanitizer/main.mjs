// AddressSanitizer: under tests of the core, and in the addon under a real Node.js. Whatever it finds ends the process, and
// first it is shown that it finds something: a read behind the end of an allocation, in both. Behind it, valgrind's memcheck.
//
// It needs no nightly toolchain: `RUSTC_BOOTSTRAP` lets the stable compiler take the flag. Rust's own runtime is linked into the
// tests; an addon needs one that is there before Node.js, which is that of the system's C compiler.

import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { options, report, scratch, skipped } from '../lib/options.mjs';

/** @type {Record<string, string>} */
const TARGETS = { x64: 'x86_64-unknown-linux-gnu', arm64: 'aarch64-unknown-linux-gnu' };
const TARGET = TARGETS[process.arch] ?? '';
/** Of the core: whatever decodes bytes, maps files, or has unsafe code under it. */
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
/** Of the package: what lends memory to JavaScript, takes it from there, or ends while somebody uses it. */
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
/** Of the core, what valgrind runs within minutes. */
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

/** The last lines of what was said, from the sanitizer's word on. @param {string} said */
function end(said) {
  const from = said.search(/==\d+==ERROR|panicked at|error(\[|:)/);
  return said.slice(from < 0 ? -2000 : from, from < 0 ? undefined : from + 3000).split('\n');
}

/** How many tests cargo says have passed. @param {string} said */
function passedOf(said) {
  return [...said.matchAll(/^test result: .* (\d+) passed/gm)].reduce((sum, it) => sum + Number(it[1]), 0);
}

function core() {
  const cargo = ['test', '-p', 'warmshard-core', '--target', TARGET];
  const broken = run('cargo', [...cargo, '--test', 'sanitizer', '--', '--ignored'], building);
  if (broken.ok || !broken.said.includes(OURS))
    return void report('sanitizer, core', 'it does not find a read behind the end', end(broken.said));
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
    // V8 keeps what it has until the end.
    ASAN_OPTIONS: 'detect_leaks=0:abort_on_error=0:exitcode=99',
    WARMSHARD_NATIVE_PATH: binary,
    // The fast door is a second binary, which calls into the first.
    WARMSHARD_FAST: '0',
  };
  const broken = run(process.execPath, ['-e', `require(${JSON.stringify(binary)}).readBehindTheEnd()`], env);
  if (broken.ok || !broken.said.includes(OURS))
    return void report('sanitizer, addon', 'it does not find a read behind the end', end(broken.said));
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
  // One by one: each of their processes holds some hundred MiB for the sanitizer, and what one file does stays its own.
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

/** Reads of memory that nobody has written are not seen by AddressSanitizer: valgrind sees them, slowly. */
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
