// The tree of fetched packages that these tests need; it is not part of a checkout.

import { treeToChange } from '../../../bench/register/lib/workspace.mjs';
import { DOOR, WARMSHARD } from '../../../bench/register/modes.mjs';
import { installed, MISSING } from '../../../bench/setup/programs.mjs';

/** Makes a copy of the packages that tests may change, and returns its folder. */
export function ready(): string {
  if (!installed()) throw new Error(MISSING);
  if (WARMSHARD.absent !== undefined) throw new Error(WARMSHARD.absent);
  console.error(`through ${DOOR}, Node.js ${process.version}`);
  return treeToChange();
}
