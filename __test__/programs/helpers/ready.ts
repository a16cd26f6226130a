// What these tests need that a checkout does not bring.

import { treeToChange } from '../../../bench/register/lib/workspace.mjs';
import { DOOR, WARMSHARD } from '../../../bench/register/modes.mjs';
import { installed, MISSING } from '../../../bench/setup/programs.mjs';

/** A tree of packages to work in. */
export function ready(): string {
  if (!installed()) throw new Error(MISSING);
  if (WARMSHARD.absent !== undefined) throw new Error(WARMSHARD.absent);
  console.error(`through ${DOOR}, Node.js ${process.version}`);
  return treeToChange();
}
