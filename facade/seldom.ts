import * as everything from './seldom/index.js';

/** What most programs never need; in the package a separate bundle, like `later`. */
export const seldom = (): typeof everything => everything;
