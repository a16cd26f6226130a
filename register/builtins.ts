/** Node.js' modules, asked for once: each request costs a program's start some microseconds. */

export import fs = require('node:fs');
export import nodeModule = require('node:module');
export import path = require('node:path');

/** Takes 0.3 ms to load and to use for the first time, and is needed only where modules are scripts. */
export const vm = (): typeof import('node:vm') => require('node:vm');
