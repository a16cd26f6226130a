import * as everything from './later/index.js';

/**
 * Everything that the first look-up of a program does not need. Compiling it takes longer than that look-up, so in the
 * package it is a separate bundle: scripts/build-js.mjs replaces this module by code that loads it.
 */
export const later = (): typeof everything => everything;
