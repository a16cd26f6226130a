/** Why there is no native binary: a bundle of its own, that nobody needs where there is one. */

import { loadFailure } from '../../facade/later/load-failure.js';
import { type Attempt, platformTriple } from '../../facade/loader.js';

/** The error that every other part of the package throws for it. */
export const failure = (attempts: readonly Attempt[]): Error => loadFailure(platformTriple(), attempts);
