// Kill storms: processes that are killed at every system call in turn, and many processes that are killed at random moments.

import { options, scratch } from '../lib/options.mjs';
import { killAtCalls, killPrograms } from './calls.mjs';
import { storm } from './storm.mjs';

const how = options(60);
const dir = scratch();
await killAtCalls(dir, { ...how, seconds: how.seconds / 2 });
await killPrograms(dir, { ...how, seconds: how.seconds / 8 });
await storm(dir, { ...how, seconds: how.seconds / 2 });
