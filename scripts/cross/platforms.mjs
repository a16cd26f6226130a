// What a binary is built for, and what it may need of the system it runs on.

/** Oldest C library that the glibc binaries run on. Node.js 20 and later themselves need 2.28. */
export const GLIBC = '2.17';

/** Oldest macOS that the binaries for it run on: the first for Apple silicon. */
export const MACOS = '11.0';

/**
 * Most bytes that a binary may have: what it had when this was written, and some 4 % more. Raised only with a reason in the changelog.
 *
 * @type {Record<string, number>}
 */
export const BUDGET = {
  'linux-x64-gnu': 1_750_000,
  'linux-x64-musl': 1_750_000,
  'linux-arm64-gnu': 1_460_000,
  'linux-arm64-musl': 1_460_000,
  'darwin-x64': 2_000_000,
  'darwin-arm64': 1_710_000,
};

/** What a checkout's own binary may have more: its standard library is as shipped, and can print backtraces. */
export const AS_SHIPPED = 210_000;

/** By the linker: whoever strips a Mach-O file afterwards breaks its signature, without which arm64 refuses it. */
const STRIPPED = '-C strip=none -C link-arg=-Wl,-s -C link-arg=-Wl,-install_name,@rpath/warmshard.node';

/**
 * Rust's name of each platform, and how the linker is told of it.
 *
 * @type {Record<string, { rust: string, zig: string, flags?: string, cxx?: string }>}
 */
export const PLATFORMS = {
  'linux-x64-gnu': {
    rust: 'x86_64-unknown-linux-gnu',
    zig: `x86_64-unknown-linux-gnu.${GLIBC}`,
    cxx: 'x86_64-linux-gnu-g++',
  },
  'linux-x64-musl': {
    rust: 'x86_64-unknown-linux-musl',
    zig: 'x86_64-unknown-linux-musl',
    // A library that is loaded into a host takes the host's C library.
    flags: '-C target-feature=-crt-static',
    cxx: 'x86_64-linux-gnu-g++',
  },
  'linux-arm64-gnu': {
    rust: 'aarch64-unknown-linux-gnu',
    zig: `aarch64-unknown-linux-gnu.${GLIBC}`,
    cxx: 'aarch64-linux-gnu-g++',
  },
  'linux-arm64-musl': {
    rust: 'aarch64-unknown-linux-musl',
    zig: 'aarch64-unknown-linux-musl',
    flags: '-C target-feature=-crt-static',
    cxx: 'aarch64-linux-gnu-g++',
  },
  'darwin-x64': { rust: 'x86_64-apple-darwin', zig: 'x86_64-apple-darwin', flags: STRIPPED },
  'darwin-arm64': { rust: 'aarch64-apple-darwin', zig: 'aarch64-apple-darwin', flags: STRIPPED },
};

/** The platform of the Node.js that runs this, as the loader tells it. */
export function ownPlatform() {
  const { platform, arch } = process;
  if (platform !== 'linux') return `${platform}-${arch}`;
  const report = /** @type {{ header: { glibcVersionRuntime?: string } }} */ (process.report.getReport());
  return `linux-${arch}-${report.header.glibcVersionRuntime ? 'gnu' : 'musl'}`;
}
