// What the first look-up of a program does without. dist/index.cjs loads it when something of it is asked for.
export { constants } from './constants.js';
export { fastNumber, shutBecause } from './door.js';
export { entryInfo } from './entry-info.js';
export { loadFailure } from './load-failure.js';
export { memoOf } from './memo.js';
export { Values } from './values.js';
export { runWork } from './work.js';
