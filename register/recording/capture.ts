/**
 * Taking bytecode, and writing what was recorded.
 *
 * Bytecode is taken after a program has run, for then it holds the functions that were compiled on the way: at exit, or
 * a few seconds after the start of a program that goes on, before V8 throws away what has not run for long.
 */

import vm = require('node:vm');

import type { Compiled } from '../compile.js';
import { type Kit, TYPED } from '../kit.js';
import type { LoadedModule } from '../node-module.js';
import { Searches } from './searches.js';

/**
 * How long a program runs before bytecode is taken without waiting for its end, in milliseconds: once when its start is
 * over, for it may end without another word, and once when it has been at work.
 */
const EARLY_MS = [1000, 4000];

/** The same for a thread, which may be ended without another word as soon as its work is done. */
const THREAD_EARLY_MS = [20, 1000];

/** Those that the addon can notice, in its order: see src-rs/binding/last_words.rs. */
const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'];

interface Loaded {
  script: Compiled;
  /** Whether what is kept is of no use. */
  rejected: boolean;
}

/** What a module compiles to. */
export interface Recorded {
  flags: number;
  facts: readonly string[];
  /** With none the text alone is kept. */
  script?: Compiled;
  /** Source map of a text that was transpiled. */
  map?: string;
}

const NO_CODE = new Uint8Array(0);
/** V8's version, the length of the source and a hash of the flags: they stand in front of all bytecode. */
function headOfCode(): Buffer {
  return new vm.Script('').createCachedData().subarray(0, 16);
}

/** See the file's head. */
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

  /** What V8 puts in front of bytecode under the flags of the program's start. */
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

  /** A module is left to Node.js from now on, while the facts are true. */
  aside(filename: string, flags: number, facts: readonly string[]): void {
    this.#aside.set(filename, [flags, ...facts].join('\0'));
    this.#arm();
  }

  /** We have found where a request leads: the path that was found, the canonical one, and why. */
  resolved(folder: string, request: string, paths: number, told: readonly string[]): void {
    this.#resolved.push([folder, request, paths, told.join('\0')]);
    this.#arm();
  }

  /** Node.js has found where a request leads: see `recordSearch`. */
  found(folder: string, identity: string, asked: string, told: string): void {
    this.#found.push([folder, identity, asked, told]);
    this.#arm();
  }

  /** A module came from the shard, and more of it will have run in the end than when it was recorded. */
  loaded(filename: string, script: Compiled, rejected: boolean): void {
    this.#loaded.set(filename, { script, rejected });
    this.#arm();
  }

  /** A module is to be read again: what is known of it is of the past. */
  forget(filename: string): void {
    this.#recorded.delete(filename);
    this.#aside.delete(filename);
    this.#loaded.delete(filename);
  }

  /** There is more to write: bundles of ours that had to be compiled, or what the addon has of files that were touched. */
  expect(): void {
    this.#arm();
  }

  /** Node.js looked for a request. */
  searched(request: string, identity: string, parent: LoadedModule, paths: readonly string[]): void {
    this.#searches.add({ request, identity, parent, paths });
    this.#arm();
  }

  /** A short text is to be kept. */
  note(name: string, text: string): void {
    this.#notes.push([name, text]);
  }

  /** Sees to it that what is recorded gets written. */
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
   * Waits for the end of the program. A listener would be one more than without us: to those who count them, and in the
   * stack trace of an error in another. So we notice that `emit` asks who listens. Signals are the addon's to notice.
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
   * Takes the bytecode of what has run, and writes all that was recorded.
   *
   * @param again whether more of it will run, and is to be taken later
   * @returns how many entries were written
   */
  publish(again = false): number {
    this.#disarm();
    const { counts, debug, giveUp, program, takeOwned } = this.#kit;
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
    // Under other flags than those that modules are loaded with V8 would refuse all of it.
    if (!headOfCode().equals(this.#head)) return 0;
    const failing = (process as { _exiting?: boolean })._exiting === true && Boolean(process.exitCode);
    try {
      for (const [filename, { flags, facts, script, map }] of recorded)
        cache.record(
          filename,
          [flags, ...facts].join('\0'),
          script?.createCachedData(failing) ?? NO_CODE,
          map,
        );
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
    } catch (error) {
      giveUp(error);
      return 0;
    }
  }
}
