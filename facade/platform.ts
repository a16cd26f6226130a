import fs = require('node:fs');

/** `linux-x64-musl`, say: the part of a platform package's name that tells the platform. */
export function platformTriple(): string {
  const { platform, arch } = process;
  if (platform !== 'linux') return `${platform}-${arch}`;
  // glibc's loader has a fixed path; a musl system has none at it, unless a compatibility layer put one there.
  const musl = fs.existsSync(`/lib/ld-musl-${arch === 'arm64' ? 'aarch64' : 'x86_64'}.so.1`);
  const glibc = fs.existsSync(
    arch === 'arm64' ? '/lib/ld-linux-aarch64.so.1' : '/lib64/ld-linux-x86-64.so.2',
  );
  return `${platform}-${arch}-${musl && !glibc ? 'musl' : 'gnu'}`;
}
