/** The error for a native binary that cannot be loaded. A separate bundle, because it is seldom needed. */

import { platformTriple } from '../../facade/loader.js';
import { loadFailure } from '../../facade/seldom/load-failure.js';
import type { Attempt } from '../../facade/seldom/search.js';

/** The same error that all other parts of the package throw. */
export const failure = (attempts: readonly Attempt[]): Error => loadFailure(platformTriple(), attempts);
