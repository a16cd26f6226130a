// The tools for cross-compiling: a linker for every platform, and a Rust that has, or can build, its standard library.

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const CROSS = fileURLToPath(new URL('../../target/cross', import.meta.url));
const PYTHON = join(CROSS, 'python');
/** Debian's compiler, whose packages carry the standard library's source. */
const DEBIAN_RUSTC = '/usr/bin/rustc';

/** Installs cargo-zigbuild and zig below target/, and returns an environment that finds them. */
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

/** Whether a compiler comes with the source of the standard library. @param {string} rustc */
function hasSource(rustc) {
  const { status, stdout } = spawnSync(rustc, ['--print', 'sysroot'], { encoding: 'utf8' });
  return status === 0 && existsSync(join(stdout.trim(), 'lib/rustlib/src/rust/library/std/Cargo.toml'));
}

/**
 * The compiler for a target, and the arguments that cargo needs for it. If a compiler comes with the source of the
 * standard library, that is built without what prints backtraces, since a stripped binary has no debugging information
 * to read. This saves a tenth of the binary. Otherwise the standard library that a compiler ships for the target is used.
 *
 * @param {string} target
 */
export function compilerFor(target) {
  const compilers = ['rustc', DEBIAN_RUSTC];
  const builder = compilers.find(hasSource);
  if (builder !== undefined)
    return {
      env: { RUSTC: builder, RUSTC_BOOTSTRAP: '1' },
      args: ['-Zbuild-std=std,panic_unwind', '-Zbuild-std-features='],
      how: 'with the standard library built from source',
    };
  const rustc = compilers.find((rustc) => hasStandardLibrary(rustc, target));
  if (rustc !== undefined)
    return {
      env: { RUSTC: rustc, RUSTC_BOOTSTRAP: '0' },
      args: [],
      how: 'with its standard library as shipped, which is larger: the budget is for one built from source',
    };
  throw new Error(
    `no Rust compiler for ${target}: rustup component add rust-src, or on Debian apt-get install rustc-web rust-web-src`,
  );
}
