/** Node.js' modules, asked for once: each request costs a program's start some microseconds. */

export import fs = require('node:fs');
export import nodeModule = require('node:module');
export import path = require('node:path');
export import vm = require('node:vm');
