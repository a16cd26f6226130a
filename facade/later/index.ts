// Everything that the first look-up of a program does not need. dist/index.cjs loads it when it is first needed.
export { workOn, writeMany, writeManyAsync } from './changes.js';
export { infoOf, listOf, statsOf } from './descriptions.js';
export { knock } from './door.js';
export { getMany, getParts } from './look-ups.js';
export { metaOf } from './meta.js';
export { nativeOptions } from './options.js';
export { notOpened, wrongPath, wrongValue } from './refusals.js';
export { Values, valuesOf } from './values.js';
export { neverLend, viewCopy, viewPart } from './views.js';
export { keysOf, withValues } from './walks.js';
export { runWork } from './work.js';
