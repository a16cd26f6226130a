/** Node.js' own modules, each required once, because every `require` adds some microseconds to a program's start. */

export import fs = require('node:fs');
export import nodeModule = require('node:module');
export import path = require('node:path');

/** Loaded on demand: it takes 0.3 ms until its first use, and is needed only if modules are compiled as scripts. */
export const vm = (): typeof import('node:vm') => require('node:vm');
