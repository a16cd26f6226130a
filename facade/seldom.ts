import * as everything from './seldom/index.js';

/** What most programs never need; in the package a bundle of its own, as `later` is. */
export const seldom = (): typeof everything => everything;
