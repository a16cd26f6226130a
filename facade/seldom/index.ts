// What most programs never need. The package loads it when something of it is asked for.
export { constants } from './constants.js';
export { findAddon } from './load-failure.js';
