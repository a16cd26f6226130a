/**
 * Requests that Node.js looked for: where they led and why, told when the program has run.
 *
 * Many programs ask for what is not there, or for what cannot be told (`#imports`, say), each time they run. Those are
 * noted under the program's name, so that the next run need not load this bundle, and ask again, for nothing.
 */

import { type Kit, TYPED_REQUEST } from '../kit.js';
import { type LoadedModule, Module } from '../node-module.js';
import { forget } from './facts.js';

/** Most that are noted of a program. */
const MAX_HOPELESS = 128;

/** One of them. */
interface Search {
  request: string;
  identity: string;
  parent: LoadedModule;
  /** Where Node.js looked. */
  paths: readonly string[];
}

/** The extensions that were tried when a request was asked for: hooks of the program may have added some since. */
function extensionsOf(identity: string): string {
  return identity.replace(TYPED_REQUEST, '').split('\0')[1] ?? '.js,.json,.node';
}

export class Searches {
  readonly #kit: Kit;
  #searches: Search[] = [];

  constructor(kit: Kit) {
    this.#kit = kit;
  }

  add(search: Search): void {
    this.#searches.push(search);
  }

  /** Forgets them. */
  take(): Search[] {
    const searches = this.#searches;
    this.#searches = [];
    return searches;
  }

  /**
   * Has the addon find out why requests led where they did, while something else is done.
   *
   * @returns those that it was asked about, in their order, and those that led nowhere
   */
  ask(searches: readonly Search[]): [asked: string[], nowhere: string[]] {
    const [asked, nowhere]: [string[], string[]] = [[], []];
    for (const search of searches) {
      const name = `${search.parent.path}\0${search.identity}`;
      // What Node.js remembers an answer by.
      const wanted = `${search.request}\0${search.paths.join('\0')}`;
      const real = this.#whereItLed(search, wanted);
      if (real === undefined) nowhere.push(name);
      // Of what is no path nothing can be told, and nothing ever will be.
      else if (!real.startsWith('/')) nowhere.push(`!${name}`);
      else if (this.#askOne(search, wanted, real)) asked.push(name);
      else nowhere.push(name);
    }
    forget();
    return [asked, nowhere];
  }

  /** Takes the answers to what was asked, and notes what it is no use to ask again. */
  answered([asked, nowhere]: [string[], string[]]): void {
    const answers = asked.length === 0 ? '' : this.#kit.program()?.answers();
    const never = asked.filter((_, i) => answers?.[i] === '-').map((name) => `!${name}`);
    this.#note(new Set([...nowhere, ...never].filter((name) => !name.includes('\n'))));
  }

  #note(hopeless: Set<string>): void {
    const cache = this.#kit.program();
    const { hopelessName } = this.#kit;
    if (hopeless.size === 0 || cache === undefined) return;
    const known = cache.noted(hopelessName())?.split('\n') ?? [];
    const all = new Set([...known, ...hopeless]);
    if (all.size > known.length && known.length < MAX_HOPELESS)
      cache.note(hopelessName(), [...all].slice(0, MAX_HOPELESS).join('\n'));
  }

  /** The canonical path; `undefined` where there was none. */
  #whereItLed({ request, parent }: Search, wanted: string): string | undefined {
    try {
      return Module._pathCache[wanted] || this.#kit.resolveAgain(request, parent).real;
    } catch {
      return undefined;
    }
  }

  /** Whether it could be asked. */
  #askOne({ request, identity, parent, paths }: Search, wanted: string, real: string): boolean {
    try {
      // That it was not found as a TypeScript file asks has its reasons too.
      const typed = identity.endsWith(TYPED_REQUEST);
      const facts = typed ? this.#kit.typescript().resolve(request, parent.path).facts : [];
      const told = [paths.length, real, extensionsOf(identity), ...facts].join('\0');
      this.#kit.program()?.ask(parent.path, identity, wanted, told);
      return true;
    } catch {
      return false;
    }
  }
}
