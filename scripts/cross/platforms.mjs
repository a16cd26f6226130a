// The platforms that binaries are built for, and what a binary may need from the system.

/** The oldest C library that the glibc binaries run on. Node.js 20 and later need 2.28 themselves. */
export const GLIBC = '2.17';

/** The oldest macOS that its binaries run on: the first for Apple silicon. */
export const MACOS = '11.0';

/**
 * The largest size of a binary in bytes: its size when this was written, plus some 4 %. Raise it only with a reason in
 * the changelog.
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

/** How much larger a checkout's own binary may be: its standard library is as shipped, and can print backtraces. */
export const AS_SHIPPED = 210_000;

/** The linker strips the binary. Stripping a Mach-O file later breaks its signature, and arm64 does not load it then. */
const STRIPPED = '-C strip=none -C link-arg=-Wl,-s -C link-arg=-Wl,-install_name,@rpath/warmshard.node';

/**
 * For each platform: Rust's target, zig's target, flags for Rust, and the C++ compiler for the fast door.
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
    // A library that is loaded into a host has to use the host's C library.
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

/** The platform of the Node.js that runs this, named as in facade/loader.ts. */
export function ownPlatform() {
  const { platform, arch } = process;
  if (platform !== 'linux') return `${platform}-${arch}`;
  const report = /** @type {{ header: { glibcVersionRuntime?: string } }} */ (process.report.getReport());
  return `linux-${arch}-${report.header.glibcVersionRuntime ? 'gnu' : 'musl'}`;
}
