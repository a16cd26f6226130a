// Reads from a binary what it needs from the system, without a machine of its kind.

import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { BUDGET, GLIBC, MACOS } from './platforms.mjs';

/** @param {string[]} args */
const readobj = (...args) =>
  execFileSync('llvm-readobj', args, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'pipe'],
  });

/** @param {string} text @param {RegExp} pattern @returns {string[]} */
const all = (text, pattern) => [...text.matchAll(pattern)].map((match) => match[1] ?? '');

/** @param {string} a @param {string} b */
const byVersion = (a, b) => a.localeCompare(b, 'en', { numeric: true });

/** @param {string} file */
function elf(file) {
  const text = readobj('--dyn-syms', '--needed-libs', '--file-headers', '--dynamic-table', file);
  const [, needed = ''] = /NeededLibraries \[\n([^\]]*)\]/.exec(text) ?? [];
  const symbols = text.split('Symbol {').slice(1);
  const undefinedOnes = symbols.filter((symbol) => /Section: Undefined/.test(symbol));
  const names = undefinedOnes
    .flatMap((symbol) => all(symbol, /Name: (\S+)/g))
    .map((name) => name.split('@')[0] ?? '');
  return {
    machine: all(text, /Machine: (\S+)/g)[0] ?? '',
    needs: needed
      .split('\n')
      .map((line) => line.trim())
      .filter(Boolean),
    entry: symbols.some(
      (symbol) => /Name: napi_register_module_v1/.test(symbol) && !/Section: Undefined/.test(symbol),
    ),
    host: names.filter((name) => /^(napi|node_api)_/.test(name)),
    others: names.filter((name) => name !== '' && !/^(napi|node_api)_/.test(name)),
    oldest: all(text, /@GLIBC_([\d.]+)/g)
      .sort(byVersion)
      .at(-1),
    textrel: /TEXTREL/.test(text),
    stays: /NODELETE/.test(text),
  };
}

/** The binary's own install name, which llvm-readobj lists among the libraries. */
const OWN_NAME = '@rpath/warmshard.node';

/** @param {string} file */
function machO(file) {
  const text = readobj('--macho-version-min', '--needed-libs', '--file-headers', '--symbols', file);
  const [, needed = ''] = /NeededLibraries \[\n([^\]]*)\]/.exec(text) ?? [];
  const exported = execFileSync('llvm-objdump', ['--macho', '--exports-trie', file], { encoding: 'utf8' });
  const commands = execFileSync('llvm-objdump', ['--macho', '--private-headers', file], { encoding: 'utf8' });
  const symbols = text.split('Symbol {').slice(1);
  const undefinedOnes = symbols.filter((symbol) => /Type: Undef/.test(symbol));
  const names = undefinedOnes.flatMap((symbol) => all(symbol, /Name: _(\S+)/g));
  return {
    machine: all(text, /CpuType: (\S+)/g)[0] ?? '',
    needs: needed
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '' && line !== OWN_NAME),
    entry: / _napi_register_module_v1$/m.test(exported),
    host: names.filter((name) => /^(napi|node_api)_/.test(name)),
    others: names.filter((name) => !/^(napi|node_api)_/.test(name)),
    oldest: all(commands, /minos ([\d.]+)/g)[0],
    textrel: false,
    stays: true,
  };
}

const MACHINES = {
  'linux-x64': 'EM_X86_64',
  'linux-arm64': 'EM_AARCH64',
  'darwin-x64': 'X86-64',
  'darwin-arm64': 'Arm64',
};
/** Libraries that every system of the kind has. Others, such as `@rpath/...`, would have to come with the host. */
const SYSTEM = {
  gnu: /^(lib(c|m|dl|pthread|rt|gcc_s)\.so\.\d|ld-linux-[\w-]+\.so\.\d)$/,
  musl: /^libc(\.musl-\w+)?\.so(\.1)?$/,
  darwin: /^\/usr\/lib\/lib(System\.B|iconv\.2|charset\.1)\.dylib$|^\/System\/Library\/Frameworks\//,
};

/**
 * What is wrong with the binary for a platform, and what it needs.
 *
 * @param {string} platform
 * @param {string} file
 */
export function inspect(platform, file) {
  const [system = '', arch = '', libc = system] = platform.split('-');
  const found = system === 'darwin' ? machO(file) : elf(file);
  const bytes = statSync(file).size;
  const budget = BUDGET[platform] ?? 0;
  const system_ = SYSTEM[/** @type {keyof typeof SYSTEM} */ (libc === arch ? system : libc)];
  const machine = MACHINES[/** @type {keyof typeof MACHINES} */ (`${system}-${arch}`)];
  /** @type {[boolean, string][]} */
  const checks = [
    [found.machine === machine, `is for ${found.machine}, not ${machine}`],
    [found.entry, 'does not show napi_register_module_v1'],
    [found.host.length > 0, 'takes nothing from Node-API'],
    [found.needs.every((name) => system_.test(name)), `needs ${found.needs.join(', ')}`],
    [!found.textrel, 'has relocations in its text'],
    [found.stays, 'may be unmapped while threads of it run'],
    [bytes <= budget, `has ${bytes} bytes, the budget is ${budget}`],
    [
      libc !== 'gnu' || byVersion(found.oldest ?? '0', GLIBC) <= 0,
      `needs glibc ${found.oldest}, not ${GLIBC}`,
    ],
    [
      system !== 'darwin' || byVersion(found.oldest ?? '0', MACOS) <= 0,
      `needs macOS ${found.oldest}, not ${MACOS}`,
    ],
    [libc !== 'musl' || found.oldest === undefined, 'is versioned as for glibc'],
  ];
  const faults = checks.filter(([holds]) => !holds).map(([, fault]) => fault);
  return { platform, bytes, faults, ...found };
}
