/** Why there is no native binary: a bundle of its own, that nobody needs where there is one. */

import { platformTriple } from '../../facade/loader.js';
import { loadFailure } from '../../facade/seldom/load-failure.js';
import type { Attempt } from '../../facade/seldom/search.js';

/** The error that every other part of the package throws for it. */
export const failure = (attempts: readonly Attempt[]): Error => loadFailure(platformTriple(), attempts);
