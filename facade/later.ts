import * as everything from './later/index.js';

/**
 * What the first look-up of a program does without: it would take longer to compile than that look-up takes. In the
 * package it is a bundle of its own, and scripts/build-js.mjs puts what loads it in the place of this module.
 */
export const later = (): typeof everything => everything;
