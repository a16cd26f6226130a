// What cross-compiling takes: a linker that knows every platform, and a Rust that has, or can build, its standard library.

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const CROSS = fileURLToPath(new URL('../../target/cross', import.meta.url));
const PYTHON = join(CROSS, 'python');
/** Debian's compiler, whose packages carry the standard library's source. */
const DEBIAN_RUSTC = '/usr/bin/rustc';

/** cargo-zigbuild with its zig, in a folder of its own, and an environment that finds them. */
export function zigbuild() {
  const bin = join(PYTHON, 'bin');
  if (!existsSync(join(bin, 'cargo-zigbuild'))) {
    mkdirSync(PYTHON, { recursive: true });
    execFileSync('python3', ['-m', 'pip', 'install', '--quiet', '--target', PYTHON, 'cargo-zigbuild'], {
      stdio: 'inherit',
    });
  }
  return { PATH: `${bin}${delimiter}${process.env.PATH}`, PYTHONPATH: PYTHON };
}

/** Whether a compiler has a target's standard library. @param {string} rustc @param {string} target */
function hasStandardLibrary(rustc, target) {
  const { status, stdout } = spawnSync(rustc, ['--print', 'target-libdir', '--target', target], {
    encoding: 'utf8',
  });
  return status === 0 && existsSync(stdout.trim());
}

/**
 * The compiler for a target, and what cargo has to be told beside it. Where nobody has the standard library, it is
 * built from the source that a compiler brought with it.
 *
 * @param {string} target
 */
export function compilerFor(target) {
  for (const rustc of ['rustc', DEBIAN_RUSTC])
    if (hasStandardLibrary(rustc, target))
      return {
        env: { RUSTC: rustc, RUSTC_BOOTSTRAP: '0' },
        args: [],
        how: 'with its standard library as shipped',
      };
  for (const rustc of ['rustc', DEBIAN_RUSTC]) {
    const { status, stdout } = spawnSync(rustc, ['--print', 'sysroot'], { encoding: 'utf8' });
    if (status === 0 && existsSync(join(stdout.trim(), 'lib/rustlib/src/rust/library/std/Cargo.toml')))
      return {
        env: { RUSTC: rustc, RUSTC_BOOTSTRAP: '1' },
        args: ['-Zbuild-std=std,panic_unwind'],
        how: 'with the standard library built from source',
      };
  }
  throw new Error(
    `no Rust compiler for ${target}: rustup target add ${target}, or on Debian ` +
      'apt-get install rustc-web rust-web-src (and libstd-rust-web-dev:arm64)',
  );
}
