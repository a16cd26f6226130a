/**
 * Takes bytecode and writes what was recorded.
 *
 * Bytecode is taken after a program has run, because then it contains the functions that were compiled on the way: at
 * exit, or, in a program that keeps running, some seconds after its start, before V8 discards what has not run for long.
 */

import vm = require('node:vm');

import type { Compiled } from '../compile.js';
import { type Kit, TYPED } from '../kit.js';
import type { LoadedModule } from '../node-module.js';
import { Searches } from './searches.js';

/**
 * How long to wait before bytecode is taken from a program that keeps running, in milliseconds: once until its start is
 * over, because it may be killed later, and then once more until it has done some of its work.
 */
const EARLY_MS = [1000, 4000];

/** The same for a worker thread, which may be terminated as soon as its work is done. */
const THREAD_EARLY_MS = [20, 1000];

/** The signals that the addon can notice, in its order: see src-rs/binding/last_words.rs. */
const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'];

interface Loaded {
  script: Compiled;
  /** Whether V8 has rejected the bytecode in the shard. */
  rejected: boolean;
}

/** What a module compiles to. */
export interface Recorded {
  flags: number;
  facts: readonly string[];
  /** Without it only the text is kept. */
  script?: Compiled;
  /** The source map of a transpiled text. */
  map?: string;
}

const NO_CODE = new Uint8Array(0);

/** The head of all bytecode: V8's version, the length of the source and a hash of V8's flags. */
function headOfCode(): Buffer {
  return new vm.Script('').createCachedData().subarray(0, 16);
}

/** See the head of this file. */
export class Capture {
  readonly #kit: Kit;
  readonly #searches: Searches;
  #recorded = new Map<string, Recorded>();
  #aside = new Map<string, string>();
  #resolved: [folder: string, request: string, paths: number, told: string][] = [];
  #found: [folder: string, identity: string, asked: string, told: string][] = [];
  #loaded = new Map<string, Loaded>();
  #notes: [name: string, text: string][] = [];
  #armed = false;
  #timer: NodeJS.Timeout | undefined;
  /** How often bytecode was taken early. */
  #early = 0;
  #unlisten = () => {};

  /** The head of bytecode under the flags that V8 has at the start of the program. */
  readonly #head = headOfCode();

  constructor(kit: Kit) {
    this.#kit = kit;
    this.#searches = new Searches(kit);
  }

  /** A module was compiled from its source. */
  record(filename: string, recorded: Recorded): void {
    this.#recorded.set(filename, recorded);
    this.#arm();
  }

  /** A module is left to Node.js from now on, as long as the facts hold. */
  aside(filename: string, flags: number, facts: readonly string[]): void {
    this.#aside.set(filename, [flags, ...facts].join('\0'));
    this.#arm();
  }

  /** warmshard has found where a request leads; `told` is the path that was found, its canonical path, and the facts. */
  resolved(folder: string, request: string, paths: number, told: readonly string[]): void {
    this.#resolved.push([folder, request, paths, told.join('\0')]);
    this.#arm();
  }

  /** Node.js has found where a request leads: see `recordSearch`. */
  found(folder: string, identity: string, asked: string, told: string): void {
    this.#found.push([folder, identity, asked, told]);
    this.#arm();
  }

  /** A module came from the shard, and when bytecode is taken, more of it will have run than when it was recorded. */
  loaded(filename: string, script: Compiled, rejected: boolean): void {
    this.#loaded.set(filename, { script, rejected });
    this.#arm();
  }

  /** A module is read again: what was collected about it is out of date. */
  forget(filename: string): void {
    this.#recorded.delete(filename);
    this.#aside.delete(filename);
    this.#loaded.delete(filename);
  }

  /** There is something else to write: our own bundles, or what the addon knows about files that were touched. */
  expect(): void {
    this.#arm();
  }

  /** Node.js has searched for what a request means. */
  searched(request: string, identity: string, parent: LoadedModule, paths: readonly string[]): void {
    this.#searches.add({ request, identity, parent, paths });
    this.#arm();
  }

  /** Keeps a short text, which is written together with everything else. */
  note(name: string, text: string): void {
    this.#notes.push([name, text]);
  }

  /** Makes sure that what was collected will be written. */
  #arm(): void {
    if (this.#armed) return;
    this.#armed = true;
    this.#listen();
    const delays = this.#kit.inThread ? THREAD_EARLY_MS : EARLY_MS;
    const delay = delays[this.#early] ?? delays[0];
    this.#timer = setTimeout(() => {
      this.#early++;
      this.publish(this.#early < delays.length);
    }, delay).unref();
  }

  /**
   * Waits for the end of the program. Listeners of our own would show: to a program that counts them, and in the stack
   * trace of an error in another listener. So a proxy notices that `emit` looks for listeners of `exit`, and the addon
   * notices signals.
   */
  #listen(): void {
    const owner = process as unknown as { _events: object; _exiting?: boolean };
    const events = owner._events;
    const noticed = new Proxy(events, {
      get: (target, name) => {
        if (name === 'exit' && owner._exiting === true) this.publish();
        return Reflect.get(target, name);
      },
    });
    owner._events = noticed;
    if (!this.#kit.inThread) {
      const deaf = SIGNALS.reduce((bits, name, i) => bits | (name in events ? 0 : 1 << i), 0);
      this.#kit.program()?.watchEnd(() => this.publish(), deaf);
    }
    this.#unlisten = () => {
      if (owner._events === noticed) owner._events = events;
    };
  }

  #disarm(): void {
    clearTimeout(this.#timer);
    this.#unlisten();
    if (this.#armed && !this.#kit.inThread) this.#kit.program()?.ignoreEnd();
    this.#armed = false;
  }

  /**
   * Takes the bytecode of what has run, and writes everything that was collected.
   *
   * @param again whether the program keeps running, and bytecode is to be taken once more later
   * @returns how many entries were written
   */
  publish(again = false): number {
    try {
      this.#disarm();
      return this.#write(again);
    } catch (error) {
      this.#kit.giveUp(error);
      return 0;
    }
  }

  #write(again: boolean): number {
    const { counts, debug, program, takeOwned } = this.#kit;
    const cache = program();
    const [recorded, loaded, notes] = [this.#recorded, this.#loaded, this.#notes];
    const [aside, resolved, found] = [this.#aside, this.#resolved, this.#found];
    const searches = this.#searches.take();
    this.#recorded = new Map();
    this.#aside = new Map();
    this.#resolved = [];
    this.#found = [];
    this.#loaded = new Map();
    this.#notes = [];
    if (cache === undefined) return 0;
    // The program has changed V8's flags. The next run will load modules without them, and V8 would reject the bytecode.
    if (!headOfCode().equals(this.#head)) return 0;
    const failing = (process as { _exiting?: boolean })._exiting === true && Boolean(process.exitCode);
    for (const [filename, { flags, facts, script, map }] of recorded)
      cache.record(filename, [flags, ...facts].join('\0'), script?.createCachedData(failing) ?? NO_CODE, map);
    for (const [filename, told] of aside) cache.record(filename, told);
    for (const answer of resolved) cache.recordResolution(...answer);
    for (const answer of found) cache.recordSearch(...answer);
    for (const [filename, { script, rejected }] of loaded)
      cache.improve(filename, script.createCachedData(failing), Number(rejected));
    for (const { file, script, state } of takeOwned()) {
      const code = script.createCachedData();
      if (state === 'new') cache.record(file, String(TYPED), code);
      else cache.improve(file, code, Number(state === 'rejected'));
    }
    this.#searches.record(searches);
    for (const [name, text] of notes) cache.note(name, text);
    if (again)
      for (const [filename, { script }] of [...recorded, ...loaded])
        if (script !== undefined) this.loaded(filename, script, false);
    const written = cache.publish();
    counts.written += written;
    debug('wrote', String(written), 'entries');
    return written;
  }
}
