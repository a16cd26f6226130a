/**
 * Taking bytecode, and writing what was recorded.
 *
 * Bytecode is taken after a program has run, for then it holds the functions that were compiled on the way: at exit, or
 * a few seconds after the start of a program that goes on, before V8 throws away what has not run for long.
 */

import type vm from 'node:vm';
import { isTyped, type Kit, TYPED_REQUEST } from '../kit.js';
import { type LoadedModule, Module } from '../node-module.js';
import { whyFound } from './facts.js';

/** How long a program runs before bytecode is taken without waiting for its end, in milliseconds. */
const EARLY_MS = 4000;

/** How long until signals are listened for: what runs before is a start that must end at once, in milliseconds. */
const SIGNAL_MS = 50;

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/** What a module compiles to. */
export interface Recorded {
  filename: string;
  flags: number;
  facts: readonly string[];
  /** With none the text alone is kept. */
  script?: vm.Script;
  /** Source map of a text that was transpiled. */
  map?: string;
}

const NO_CODE = new Uint8Array(0);

/** See the file's head. */
export class Capture {
  readonly #kit: Kit;
  #recorded: Recorded[] = [];
  #loaded: { filename: string; script: vm.Script; rejected: boolean }[] = [];
  #aside: [filename: string, told: string][] = [];
  #requests: [request: string, parent: LoadedModule][] = [];
  #resolved: [folder: string, request: string, paths: number, told: string][] = [];
  #notes: [name: string, text: string][] = [];
  #armed = false;
  #signals: NodeJS.SignalsListener | undefined;
  readonly #publish = () => void this.publish();

  constructor(kit: Kit) {
    this.#kit = kit;
  }

  /** A module was compiled from its source. */
  record(recorded: Recorded): void {
    this.#recorded.push(recorded);
    this.#arm();
  }

  /** A module is left to Node.js from now on, while the facts are true. */
  aside(filename: string, flags: number, facts: readonly string[]): void {
    this.#aside.push([filename, [flags, ...facts].join('\0')]);
    this.#arm();
  }

  /** A module came from the shard, and more of it will have run in the end than when it was recorded. */
  loaded(filename: string, script: vm.Script, rejected: boolean): void {
    this.#loaded.push({ filename, script, rejected });
    this.#arm();
  }

  /** Node.js looked for a request. */
  searched(request: string, parent: LoadedModule): void {
    this.#requests.push([request, parent]);
    this.#arm();
  }

  /** We have found where a request leads: the path that was found, the canonical one, and why. */
  resolved(folder: string, request: string, paths: number, told: readonly string[]): void {
    this.#resolved.push([folder, request, paths, told.join('\0')]);
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
    process.prependListener('exit', this.#publish);
    setTimeout(this.#publish, EARLY_MS).unref();
    setTimeout(() => this.#listenForSignals(), SIGNAL_MS).unref();
  }

  /**
   * A signal that nobody handles ends a process without another word. So we listen, for the seconds in which there is
   * something to write, and raise it again where nobody else does.
   */
  #listenForSignals(): void {
    if (!this.#armed) return;
    this.#signals = (signal) => {
      this.publish();
      if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
    };
    for (const signal of SIGNALS) {
      // Whoever listens already decides what becomes of the program, and it ends by `exit`, if at all.
      if (process.listenerCount(signal) === 0) process.prependListener(signal, this.#signals);
    }
  }

  #disarm(): void {
    if (this.#signals !== undefined)
      for (const signal of SIGNALS) process.removeListener(signal, this.#signals);
    process.removeListener('exit', this.#publish);
    this.#signals = undefined;
    this.#armed = false;
  }

  /** Takes the bytecode of what has run, and writes all that was recorded. Gives how many entries were written. */
  publish(): number {
    this.#disarm();
    const { counts, debug, giveUp, program } = this.#kit;
    const cache = program();
    const [recorded, loaded, requests, notes] = [this.#recorded, this.#loaded, this.#requests, this.#notes];
    const [aside, resolved] = [this.#aside, this.#resolved];
    this.#recorded = [];
    this.#aside = [];
    this.#loaded = [];
    this.#requests = [];
    this.#resolved = [];
    this.#notes = [];
    if (cache === undefined) return 0;
    try {
      for (const { filename, flags, facts, script, map } of recorded)
        cache.record(filename, [flags, ...facts].join('\0'), script?.createCachedData() ?? NO_CODE, map);
      for (const [filename, told] of aside) cache.record(filename, told);
      for (const { filename, script, rejected } of loaded)
        cache.improve(filename, script.createCachedData(), Number(rejected));
      for (const answer of resolved) cache.recordResolution(...answer);
      for (const [request, parent] of requests) this.#recordRequest(request, parent);
      for (const [name, text] of notes) cache.note(name, text);
      const written = cache.publish();
      counts.written += written;
      debug('wrote', String(written), 'entries');
      return written;
    } catch (error) {
      giveUp(error);
      return 0;
    }
  }

  #recordRequest(request: string, parent: LoadedModule): void {
    const typed = isTyped(parent.filename ?? '');
    try {
      const real = Module._resolveFilename(request, parent, false);
      const paths = Module._resolveLookupPaths(request, parent);
      if (!real.startsWith('/') || paths === null) return;
      const answer = whyFound(request, parent.path, paths, real);
      if (answer === undefined) return;
      // That it was not found as a TypeScript file asks has its reasons too.
      const facts = typed ? this.#kit.typescript().resolve(request, parent.path).facts : [];
      const told = [answer.found, real, ...answer.facts, ...facts].join('\0');
      const key = typed ? request + TYPED_REQUEST : request;
      this.#kit.program()?.recordResolution(parent.path, key, paths.length, told);
    } catch {
      // It led nowhere, then as now.
    }
  }
}
