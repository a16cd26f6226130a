// One module added a folder to its `module.paths`, and the folder appeared in the lists of its neighbours.

import test from 'ava';
import { Program } from '../helpers/program.js';

const own = `const Module = require('module'); const text = () => Module._nodeModulePaths.toString().includes('Guarantee that') || Module._nodeModulePaths.toString();`;

test('each module has its own list, and may change it', async (t) => {
  const program = new Program(t, {
    'app.js': `require('./lib/a'); require('./lib/b'); require('./lib/a'); require('pkg'); console.log(require('./lib/c'), module.paths)`,
    'lib/a.js': `module.paths.unshift(__dirname + '/more'); console.log(require('extra'), module.paths)`,
    'lib/b.js': `console.log(module.paths); try { require('extra') } catch (error) { console.log(error.code) }`,
    'lib/c.js': `module.paths.length = 0; try { require('pkg') } catch (error) { console.log(error.code) } module.exports = module.paths`,
    'lib/more/extra.js': `module.exports = 'extra'`,
    'node_modules/pkg/index.js': `console.log(module.paths)`,
  });
  await program.same({ hits: ['app.js', 'lib/a.js', 'lib/b.js', 'lib/c.js', 'lib/more/extra.js'] });
});

test("a program that reads _nodeModulePaths gets Node.js' own, and one that replaces it is used", async (t) => {
  const program = new Program(t, {
    'app.js': `${own} console.log(text(), require('./a'), text(), require('./b'), text(), require('./a'), text(), require('pkg'), require('./in/pkg'), text());
const paths = Module._nodeModulePaths; Module._nodeModulePaths = (folder) => [...paths(folder), folder + '/of-mine'];
console.log(require('./c'), Module._nodeModulePaths(__dirname)); Module._nodeModulePaths = paths; console.log(require('./d'), text())`,
    'a.js': `${own} module.exports = text()`,
    'b.js': `${own} module.exports = [text(), require('./a')]`,
    'c.js': `module.exports = [module.paths, require('mine')]`,
    'd.js': `module.exports = module.paths`,
    'in/pkg.js': `${own} module.exports = [require('pkg'), text()]`,
    'of-mine/mine.js': `module.exports = 'mine'`,
    'node_modules/pkg/index.js': `${own} module.exports = text()`,
  });
  await program.same({ hits: ['app.js', 'a.js', 'b.js'] });
});

test('requests of modules that a program makes itself are resolved as usual', async (t) => {
  const program = new Program(t, {
    'app.js': `const Module = require('module'), path = require('path');
const made = Object.assign(new Module('by hand'), { filename: path.join(__dirname, 'lib/none.js'), paths: [] });
console.log(made.require('./a'));
for (const parent of [{ id: 'x', filename: __filename }, { id: 'x', filename: __dirname + '/lib/x.js', path: __dirname }, { id: 'x', filename: '/x.js', path: '/' }, { id: '', filename: __filename, path: __dirname }])
  for (const request of ['./lib/a', '../program/lib/a', './a', '.', '..', '.hidden'])
    try { console.log(request, Module._resolveLookupPaths(request, parent), path.relative(__dirname, Module._resolveFilename(request, parent))) } catch (error) { console.log(error.code) }
console.log(Module._resolveLookupPaths('./x', null), Module._resolveLookupPaths('./x'));
try { Module._resolveLookupPaths('./x', { filename: 7, id: 'x', path: 'y' }) } catch (error) { console.log(error.code) }`,
    'lib/a.js': `module.exports = 'a'`,
  });
  await program.same({ hits: ['app.js'] });
});

test('the debug output of the loader is the same', async (t) => {
  const program = new Program(t, {
    'app.js': `console.log(require('./a'))`,
    'a.js': `module.exports = 'a'`,
  });
  const env = { NODE_DEBUG: 'module' };
  const plain = await program.plain({ env });
  await program.run({ env });
  const { stderr } = await program.run({ env });
  const told = (text: string) =>
    text.split('\n').filter((line) => /RELATIVE: requested: \.\/a/.test(line)).length;
  t.is(told(stderr), told(plain.stderr));
});
