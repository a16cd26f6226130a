// What most programs never need. The package loads it when it is first needed.
export { constants } from './constants.js';
export { findAddon } from './load-failure.js';
