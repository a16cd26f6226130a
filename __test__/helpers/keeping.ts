// Tests of kept answers, which need the fast door.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';

const root = join(__dirname, '..', '..');
const built = readdirSync(root).some((name) => name.endsWith(`.${process.versions.modules}.node`));
const off = process.env.WARMSHARD_FAST === '0' || process.env.WARMSHARD_MEMO === '0';

/** A test for which the fast door is loaded at once, so that answers are kept early; skipped if there is no fast door. */
export const keeping = built && !off ? test : test.skip;

if (!off) process.env.WARMSHARD_FAST = 'eager';
