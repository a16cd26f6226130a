// Under Yarn's Plug'n'Play stack traces had another name for Node.js' own handler, because modules bypassed the loader.

import test from 'ava';
import { same } from '../helpers/program.js';

/** What Yarn's loader does, as far as it matters here: it reads files in archives, resolves requests by a table, and loads modules. */
const PNP = `
const Module = require('module'), fs = require('fs'), path = require('path');
process.versions.pnp = '3';
const archive = path.join(__dirname, 'cache', 'pkg.zip') + '/';
const inside = { 'pkg/index.js': 'exports.stack = () => new Error("in an archive").stack;\\nexports.own = require("./own");', 'pkg/own.js': 'module.exports = __filename;' };
const { readFileSync } = fs;
fs.readFileSync = (file, ...rest) => String(file).startsWith(archive) ? inside[file.slice(archive.length)] : readFileSync(file, ...rest);
Module._resolveFilename = (request, parent) => {
  if (path.isAbsolute(request)) return request;
  if (request.startsWith('.')) return path.resolve(parent.path, request) + '.js';
  if (request === 'pkg') return archive + 'pkg/index.js';
  throw Object.assign(new Error("Your application tried to access " + request + ", but it isn't declared"), { code: 'MODULE_NOT_FOUND' });
};
const load = Module._load;
Module._load = function (request, parent, isMain) {
  if (Module.isBuiltin(request)) return load.call(Module, request, parent, isMain);
  const filename = Module._resolveFilename(request, parent, isMain);
  if (Module._cache[filename]) return Module._cache[filename].exports;
  const module = new Module(filename, parent);
  Module._cache[filename] = module;
  if (isMain) { process.mainModule = module; module.id = '.'; }
  module.load(filename);
  return module.exports;
};
`;

const files = {
  '.pnp.cjs': PNP,
  'app.js': `const pkg = require('pkg'); console.log(pkg.own, pkg.stack(), require('./lib'));
try { require('gone') } catch (e) { console.log(e.code, e.stack) }
console.log(require.extensions['.js'] === require.extensions['.js'], Object.keys(require.cache));`,
  'lib.js': `module.exports = new Error('here').stack;`,
};

// With NODE_OPTIONS, as under `yarn node`, it is preloaded before warmshard; with -r, after it.
for (const when of ['before', 'after'])
  test(`stack traces are the same if Plug'n'Play is set up ${when} warmshard`, async (t) => {
    const node = when === 'after' ? ['-r', './.pnp.cjs'] : [];
    const env = when === 'before' ? { NODE_OPTIONS: '-r ./.pnp.cjs' } : {};
    const { stdout } = await same(t, files, { node, env, hits: [] });
    t.true(stdout.includes('in an archive') && stdout.includes('..js (node:'), stdout);
  });
