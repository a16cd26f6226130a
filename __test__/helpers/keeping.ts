import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';

const root = join(__dirname, '..', '..');
const built = readdirSync(root).some((name) => name.endsWith(`.${process.versions.modules}.node`));
const off = process.env.WARMSHARD_FAST === '0' || process.env.WARMSHARD_MEMO === '0';

/** A test of answers that are kept from the first look-up on; skipped where there is no fast door. */
export const keeping = built && !off ? test : test.skip;

if (!off) process.env.WARMSHARD_FAST = 'eager';
