/**
 * Taking bytecode, and writing what was recorded.
 *
 * Bytecode is taken after a program has run, for then it holds the functions that were compiled on the way: at exit, or
 * a few seconds after the start of a program that goes on, before V8 throws away what has not run for long.
 */

import type vm from 'node:vm';
import { whyFound } from './facts.js';
import { type LoadedModule, Module } from './node-module.js';
import { counts, debug, giveUp, program } from './state.js';

/** How long a program runs before bytecode is taken without waiting for its end, in milliseconds. */
const EARLY_MS = 4000;

/** How long until signals are listened for: what runs before is a start that must end at once, in milliseconds. */
const SIGNAL_MS = 50;

/** Most commands of one program whose bytecode is taken again. */
const MAX_COMMANDS = 8;

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

interface Recorded {
  filename: string;
  flags: number;
  facts: readonly string[];
  script: vm.Script | undefined;
}

let recorded: Recorded[] = [];
let loadedScripts: { filename: string; script: vm.Script }[] = [];
let requests: [request: string, parent: LoadedModule][] = [];
let notes: [name: string, text: string][] = [];
let armed = false;

/** A module was compiled from its source. With no script it is left to Node.js from now on. */
export function record(filename: string, flags: number, facts: readonly string[], script?: vm.Script): void {
  recorded.push({ filename, flags, facts, script });
  arm();
}

/** A module came from the shard. */
export function loaded(filename: string, script: vm.Script, rejected: boolean): void {
  if (!isNewCommand() && !rejected) return;
  loadedScripts.push({ filename, script });
  arm();
}

/** Node.js looked for a request. */
export function searched(request: string, parent: LoadedModule): void {
  requests.push([request, parent]);
  arm();
}

/** A short text is to be kept. */
export function note(name: string, text: string): void {
  notes.push([name, text]);
}

let newCommand: boolean | undefined;

/**
 * Whether this command of this program has not run before: other functions may run, whose bytecode is to be added to
 * what is kept. Told by the program's file, the names of its flags and its first word.
 */
function isNewCommand(): boolean {
  if (newCommand !== undefined) return newCommand;
  const cache = program();
  const main = process.argv[1];
  newCommand = false;
  if (cache === undefined || main === undefined) return false;
  const words = process.argv.slice(2);
  const flags = words.filter((word) => word.startsWith('-')).map((word) => word.replace(/=.*/, ''));
  const first = words.find((word) => /^[\w:-]{1,32}$/.test(word) && !word.startsWith('-'));
  const command = [first ?? '', ...flags.sort()].join(' ').slice(0, 200);
  const name = `commands ${main}`;
  const known = cache.noted(name)?.split('\n') ?? [];
  if (known.length >= MAX_COMMANDS || known.includes(command)) return false;
  newCommand = true;
  note(name, [...known, command].join('\n'));
  return true;
}

let onExit: (() => void) | undefined;
let onSignal: NodeJS.SignalsListener | undefined;

/** Sees to it that what is recorded gets written. */
function arm(): void {
  if (armed) return;
  armed = true;
  isNewCommand();
  onExit = publish;
  process.prependListener('exit', onExit);
  setTimeout(publish, EARLY_MS).unref();
  setTimeout(listenForSignals, SIGNAL_MS).unref();
}

/**
 * A signal that nobody handles ends a process without another word. So we listen, for the seconds in which there is
 * something to write, and raise it again where nobody else does.
 */
function listenForSignals(): void {
  if (!armed) return;
  onSignal = (signal) => {
    disarm();
    publish();
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
  };
  for (const signal of SIGNALS) {
    // Whoever listens already decides what becomes of the program, and it ends by `exit`, if at all.
    if (process.listenerCount(signal) === 0) process.prependListener(signal, onSignal);
  }
}

function disarm(): void {
  if (onSignal !== undefined) for (const signal of SIGNALS) process.removeListener(signal, onSignal);
  if (onExit !== undefined) process.removeListener('exit', onExit);
  onSignal = undefined;
  onExit = undefined;
  armed = false;
}

/** Takes the bytecode of what has run, and writes all that was recorded. Gives how many entries were written. */
export function publish(): number {
  disarm();
  const cache = program();
  const work = { recorded, loadedScripts, requests, notes };
  recorded = [];
  loadedScripts = [];
  requests = [];
  notes = [];
  if (cache === undefined) return 0;
  try {
    for (const { filename, flags, facts, script } of work.recorded)
      cache.record(filename, [flags, ...facts].join('\0'), script?.createCachedData());
    for (const { filename, script } of work.loadedScripts) cache.improve(filename, script.createCachedData());
    for (const [request, parent] of work.requests) recordRequest(request, parent);
    for (const [name, text] of work.notes) cache.note(name, text);
    const written = cache.publish();
    counts.written += written;
    debug('wrote', String(written), 'entries');
    return written;
  } catch (error) {
    giveUp(error);
    return 0;
  }
}

function recordRequest(request: string, parent: LoadedModule): void {
  try {
    const real = Module._resolveFilename(request, parent, false);
    const paths = Module._resolveLookupPaths(request, parent);
    if (!real.startsWith('/') || paths === null) return;
    const answer = whyFound(request, parent.path, paths, real);
    if (answer === undefined) return;
    const told = [answer.found, real, ...answer.facts].join('\0');
    program()?.recordResolution(parent.path, request, paths.length, told);
  } catch {
    // It led nowhere, then as now.
  }
}
