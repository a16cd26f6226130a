import { readdirSync } from 'node:fs';
import { cpus } from 'node:os';
import { WarmshardError } from '../errors.js';
import { platformTriple } from '../loader.js';
import { type Attempt, type Given, load } from './search.js';

// Why no binary could be loaded, and what to do about it: for the error, and for `warmshard doctor`.

/** Platforms that have a package; npm/ has a folder for each. */
export const PLATFORMS = [
  'linux-x64-gnu',
  'linux-x64-musl',
  'linux-arm64-gnu',
  'linux-arm64-musl',
  'darwin-x64',
  'darwin-arm64',
];

/** What the cause of a failure is found by. */
export interface LoadFacts {
  readonly triple: string;
  readonly attempts: readonly Attempt[];
  /** `WARMSHARD_NATIVE_PATH`. */
  readonly override?: string | undefined;
  /** Platforms whose packages are installed beside this one. */
  readonly installed: readonly string[];
  /** The model of the first processor. */
  readonly processor: string;
  /** The folder that this code is in. */
  readonly folder: string;
}

/** A cause of failure: how it shows, and what to do about it. */
interface Cause {
  readonly shows: (messages: string, facts: LoadFacts) => boolean;
  readonly remedy: (facts: LoadFacts) => string;
}

const packageOf = (triple: string) => `@warmshard/${triple}`;
const others = ({ installed, triple }: LoadFacts) => installed.filter((name) => name !== triple);

/** A binary that was found, and did not fit. */
const UNFIT = /wrong ELF class|incompatible architecture|not a mach-o|no matching architecture/i;

/** The first cause that shows is reported, so the more certain ones come first. */
const CAUSES: readonly Cause[] = [
  {
    shows: (messages) => /startup snapshot/.test(messages),
    remedy: () =>
      'No addon can be part of a startup snapshot: require warmshard in the main function of the snapshot ' +
      '(v8.startupSnapshot.setDeserializeMainFunction), not while it is built.',
  },
  {
    shows: (messages) => /ERR_DLOPEN_DISABLED/.test(messages),
    remedy: () =>
      'This Node.js was told not to load native addons. With --permission, allow them by --allow-addons, and the ' +
      "package's folder by --allow-fs-read; without, leave out --no-addons.",
  },
  {
    shows: (messages) => /ERR_ACCESS_DENIED/.test(messages),
    remedy: () =>
      'The permission model keeps this process from the binary: allow the folders of the packages by --allow-fs-read, ' +
      'and native addons by --allow-addons.',
  },
  {
    shows: (_, { override }) => override !== undefined,
    remedy: () =>
      'WARMSHARD_NATIVE_PATH names what cannot be loaded. Set it to a binary of warmshard for this platform, or unset ' +
      'it to load that of the installed package.',
  },
  {
    shows: (_, { triple }) => !PLATFORMS.includes(triple),
    remedy: ({ triple }) =>
      `No binary is made for ${triple}; there are those for ${PLATFORMS.join(', ')}. Build one in a checkout by ` +
      '`npm run build:native`, and set WARMSHARD_NATIVE_PATH to it.',
  },
  {
    shows: (messages, { triple, processor }) =>
      triple === 'darwin-x64' &&
      /Apple/.test(processor) &&
      /not found|Cannot find|no such|incompat/i.test(messages),
    remedy: () =>
      'This Node.js is for Intel and runs under Rosetta, but the packages were installed for Apple silicon. Use a ' +
      'Node.js for arm64, or delete node_modules and install again with this one.',
  },
  {
    shows: (messages) => /version [`'"]GLIBC(XX)?_[\d.]+[`'"]? not found/.test(messages),
    remedy: () =>
      'The C library of this system is older than the binary needs: glibc 2.17 for x64 and arm64. Use a newer system ' +
      'or image, or build it on this one: `npm run build:native` in a checkout.',
  },
  {
    shows: (messages) => /ld-musl|libc\.musl|ld-linux|libc\.so\.6|libc\.so:|gcompat/.test(messages),
    remedy: ({ triple }) =>
      `The binary that is installed is for the other C library, or this one is missing. This Node.js takes ${packageOf(triple)}: ` +
      'delete node_modules and install again on this very system (in its container, not outside of it).',
  },
  {
    shows: (messages) =>
      UNFIT.test(messages) || /invalid ELF header|exec format|dlopen.*slice/i.test(messages),
    remedy: ({ triple }) =>
      `The binary is for another processor or system, or damaged; this Node.js takes ${packageOf(triple)}. Delete ` +
      'node_modules and install again here; do not copy it between machines or into an image.',
  },
  {
    shows: (messages) => /file too short|file is empty|truncated|code signature/i.test(messages),
    remedy: () => 'The binary is damaged: delete node_modules and install again.',
  },
  {
    shows: (messages) => /failed to map segment|Operation not permitted|noexec/.test(messages),
    remedy: ({ folder }) =>
      `The system refuses to run code from there, as where a file system is mounted noexec (${folder}). Install into ` +
      'another folder, or copy the binary to one and set WARMSHARD_NATIVE_PATH to it.',
  },
  {
    shows: (messages) => /EACCES|Permission denied/.test(messages),
    remedy: () => 'This user may not read the binary: correct the permissions of node_modules.',
  },
  {
    shows: (messages) =>
      /undefined symbol: (napi|node_api)_|symbol not found.*(napi|node_api)_/i.test(messages),
    remedy: () =>
      'This runtime lacks functions of Node-API 8. warmshard needs Node.js 20, Electron 29, or a newer Bun or Deno.',
  },
  {
    shows: (_, { folder }) => /\.asar([/\\]|$)/.test(folder),
    remedy: () =>
      'The app is in an asar archive, from which no native code can be loaded: have the packager put the binary beside ' +
      "it, by asarUnpack: ['**/node_modules/@warmshard/**'] (electron-builder) or the auto-unpack-natives plugin (Forge).",
  },
  {
    shows: (_, facts) => others(facts).length > 0 && !facts.installed.includes(facts.triple),
    remedy: (facts) =>
      `Installed for ${others(facts).join(', ')}, but this Node.js takes ${packageOf(facts.triple)}: node_modules or the ` +
      'lock file comes from another platform. Delete node_modules and install again here. To install for several, use ' +
      '--os, --cpu and --libc of npm, or supportedArchitectures of pnpm and Yarn.',
  },
];

/** What to do if nothing was found anywhere. */
const missing = ({ triple }: LoadFacts) =>
  `${packageOf(triple)}, an optional dependency of warmshard, is not installed. npm leaves such packages out where the ` +
  'lock file was made on another platform (its bug 4828): delete node_modules and package-lock.json, and install ' +
  'again, without --omit=optional or --no-optional. In a bundle, leave warmshard external. In a checkout, run ' +
  '`npm run build:native`.';

const messageOf = (error: unknown): string => {
  const { code, message } = (error ?? {}) as { code?: string; message?: string };
  const text = String(message ?? error);
  // Bun and Deno may put the code into neither.
  return code === undefined || text.includes(code) ? text : `${text} (${code})`;
};

/** What was tried, one line each. */
export function triedLines(attempts: readonly Attempt[]): string[] {
  return attempts.map(({ place, error }) => {
    const code = (error as { code?: string } | null)?.code;
    const first = (code === 'MODULE_NOT_FOUND' ? 'not installed' : messageOf(error)).split('\n', 1)[0];
    return `${place}: ${first}`;
  });
}

/** What to do about it. */
export function remedy(facts: LoadFacts): string {
  const messages = facts.attempts.map(({ error }) => messageOf(error)).join('\n');
  const cause = CAUSES.find(({ shows }) => shows(messages, facts));
  return (cause?.remedy ?? missing)(facts);
}

/** The platforms whose packages are below or beside this one. */
function installedPlatforms(folder: string): string[] {
  return [`${folder}/../node_modules/@warmshard`, `${folder}/../../@warmshard`].flatMap((path) => {
    try {
      return readdirSync(path);
    } catch {
      return [];
    }
  });
}

/** The facts about attempts that have failed. */
export function loadFacts(triple: string, attempts: readonly Attempt[]): LoadFacts {
  return {
    triple,
    attempts,
    override: process.env.WARMSHARD_NATIVE_PATH || undefined,
    installed: installedPlatforms(__dirname),
    processor: cpus()[0]?.model ?? '',
    folder: __dirname,
  };
}

/** What kind of host this is. */
export function runtime(): string {
  const { versions, version } = process;
  if (versions.electron) return `Electron ${versions.electron}`;
  if (versions.bun) return `Bun ${versions.bun}`;
  if (versions.deno) return `Deno ${versions.deno}`;
  return `Node.js ${version}`;
}

/** The error that reports all of this. */
export function loadFailure(triple: string, attempts: readonly Attempt[]): WarmshardError {
  const lines = triedLines(attempts).map((line) => `  ${line}`);
  const message =
    `warmshard found no native binary for ${triple} on ${runtime()}. Tried:\n${lines.join('\n')}\n` +
    `${remedy(loadFacts(triple, attempts))}\n` +
    '`npx warmshard doctor` tells more; WARMSHARD_NATIVE_PATH can name the binary to load.';
  return new WarmshardError('ERR_NATIVE_LOAD', message, undefined, undefined, undefined, {
    cause: attempts.at(-1)?.error,
  });
}

/** The addon, wherever it is. Throws that error if it is nowhere. */
export function findAddon<A>(isOurs: (found: Partial<A>) => found is A, given: Given): A {
  const attempts: Attempt[] = [];
  const addon = load(attempts, isOurs, given);
  if (addon === undefined) throw loadFailure(platformTriple(), attempts);
  return addon;
}
