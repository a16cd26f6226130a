// Builds the fast door (src-cpp/) beside the addon, for the Node.js that runs this or, with --all, for every supported
// major. It is optional: without a C++ compiler or Node.js' headers everything works, but more slowly.
//
//   node scripts/build-fast.mjs [--all] [--triple PLATFORM] [--out FOLDER]
//
// With --triple it is built for another platform, by the cross compiler that CXX names. It is not linked to the C
// libraries: it finds the few functions that it needs from them in the process, and so runs wherever Node.js does.

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { fetchNode, MAJORS, nodeBinary } from '../bench/setup/nodes.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const compiler = process.env.CXX ?? 'c++';

if (process.platform !== 'linux') {
  console.log('The fast door is for Linux only so far; nothing built.');
  process.exit(0);
}
// The same rule as in facade/loader.ts: a system with glibc may also have musl's loader, from a cross compiler.
const arm = process.arch === 'arm64';
const musl =
  existsSync(`/lib/ld-musl-${arm ? 'aarch64' : 'x86_64'}.so.1`) &&
  !existsSync(arm ? '/lib/ld-linux-aarch64.so.1' : '/lib64/ld-linux-x86-64.so.2');
const { values } = parseArgs({
  options: { all: { type: 'boolean' }, triple: { type: 'string' }, out: { type: 'string' } },
});
const triple = values.triple ?? `linux-${process.arch}-${musl ? 'musl' : 'gnu'}`;
const folder = values.out ?? root;

/** The folder with the headers of a Node.js, and the number of its ABI. @param {string} node */
function headersOf(node) {
  const [modules, prefix] = execFileSync(
    node,
    [
      '-p',
      'process.versions.modules + "\\n" + require("node:path").dirname(require("node:path").dirname(process.execPath))',
    ],
    { encoding: 'utf8' },
  ).split('\n');
  const folders = [process.env.NODE_HEADERS, join(prefix ?? '', 'include', 'node'), '/usr/include/node'];
  const include = folders.find((folder) => folder !== undefined && existsSync(join(folder, 'node.h')));
  return { modules, include };
}

/** The Node.js of another major version. @param {string} major */
function fetched(major) {
  const node = nodeBinary(major) ?? fetchNode(major);
  if (node === undefined) throw new Error(`Node.js ${major} could not be fetched`);
  return node;
}

/** @param {string} node */
function build(node) {
  const { modules, include } = headersOf(node);
  if (include === undefined) return `no headers of ${node}`;
  const out = join(folder, `warmshard-fast.${triple}.${modules}.node`);
  const flags = [
    '-O2',
    '-std=c++20',
    '-shared',
    '-fPIC',
    '-fno-exceptions',
    '-fno-rtti',
    '-fvisibility=hidden',
    '-nodefaultlibs',
    // Otherwise libgcc, which is not linked to, would be asked whether the processor has atomic instructions.
    ...(triple.includes('arm64') ? ['-mno-outline-atomics'] : []),
    '-Wall',
    '-Wextra',
    '-Wno-unused-parameter',
    '-s',
    // The worker that loaded it may end while V8 still has code that calls it.
    '-Wl,-z,nodelete',
    // If a Node.js lacks one of V8's symbols, loading fails, not the first call.
    '-Wl,-z,now',
  ];
  const { status, stderr, error } = spawnSync(
    compiler,
    [
      ...flags,
      `-isystem${include}`,
      '-o',
      out,
      ...['fast.cc', 'compile.cc', 'baseline.cc'].map((name) => join(root, 'src-cpp', name)),
    ],
    { encoding: 'utf8' },
  );
  if (status !== 0) return `${compiler}: ${error?.message ?? stderr}`;
  console.log(`built ${out.slice(dirname(out).length + 1)}`);
  return undefined;
}

const nodes = values.all ? MAJORS.map(fetched) : [process.execPath];
const failures = nodes.map(build).filter((failure) => failure !== undefined);
for (const failure of failures)
  console.warn(`The fast door was not built, and look-ups will go through Node-API: ${failure}`);
if (values.all && failures.length > 0) process.exitCode = 1;
