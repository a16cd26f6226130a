/**
 * Requests that Node.js has searched for: where they led and why is found out after the program has run.
 *
 * Many programs request, at each run, something absent or something that cannot be recorded (`#imports`, for example).
 * Such requests are noted under the program's name, so that the next run does not load this bundle and search in vain.
 */

import { type Kit, TYPED_REQUEST } from '../kit.js';
import type { LoadedModule } from '../node-module.js';
import { forget } from './facts.js';

/** How many such requests are noted for each program. */
const MAX_HOPELESS = 128;

/** A request that Node.js has searched for. */
interface Search {
  request: string;
  identity: string;
  parent: LoadedModule;
  /** Where Node.js looked. */
  paths: readonly string[];
}

/** Whether a request was recorded, led nowhere, or can never be recorded. */
type Outcome = 'kept' | 'nowhere' | 'never';

/** The extensions that were tried when the request was made: the program's hooks may have added some since. */
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

  /** Returns the searches, and forgets them. */
  take(): Search[] {
    const searches = this.#searches;
    this.#searches = [];
    return searches;
  }

  /** Records those that can be recorded, and notes the others. */
  record(searches: readonly Search[]): void {
    const hopeless = new Set<string>();
    for (const search of searches) {
      const outcome = this.#recordOne(search);
      const name = `${search.parent.path}\0${search.identity}`;
      if (outcome !== 'kept' && !name.includes('\n')) hopeless.add(outcome === 'never' ? `!${name}` : name);
    }
    forget();
    this.#note(hopeless);
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

  #recordOne({ request, identity, parent, paths }: Search): Outcome {
    const typed = identity.endsWith(TYPED_REQUEST);
    try {
      const asked = `${request}\0${paths.join('\0')}`;
      const real = this.#kit.resolveAgain(request, parent, asked);
      if (!real.startsWith('/')) return 'never';
      // TypeScript's rules have found nothing, which also depends on facts.
      const facts = typed ? this.#kit.typescript().resolve(request, parent.path).facts : [];
      const told = [paths.length, real, extensionsOf(identity), ...facts].join('\0');
      const kept = this.#kit.program()?.recordSearch(parent.path, identity, asked, told);
      return kept === -1 ? 'never' : 'kept';
    } catch {
      return 'nowhere';
    }
  }
}
