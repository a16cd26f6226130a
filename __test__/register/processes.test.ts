// A worker, a child process or a signal handler behaved differently once the program was warm.

import test from 'ava';
import { type Files, Program, type SameOptions, same } from '../helpers/program.js';

const programs: Record<string, Files | [Files, SameOptions]> = {
  'worker threads': {
    'app.js': `const { Worker } = require('worker_threads'); const w = new Worker(__dirname + '/w.js', { workerData: 5 }); w.on('message', (m) => console.log(m)); w.on('exit', (c) => { console.log('exit', c); new Worker("require(" + JSON.stringify(__dirname + '/a.js') + "); throw new Error('in eval')", { eval: true }).on('error', (e) => console.log(e.stack)) })`,
    'w.js': `const a = require('./a'); require('worker_threads').parentPort.postMessage([a, require.main === module, module.id, Object.keys(require.cache), process.listenerCount('exit'), new Error('w').stack])`,
    'a.js': `module.exports = require('worker_threads').isMainThread`,
  },
  'many workers at once': {
    'app.js': `const { Worker } = require('worker_threads'); let n = 0; for (let i = 0; i < 6; i++) new Worker(__dirname + '/w.js').on('exit', (c) => { n += 1 + c; if (n === 6) console.log('all') }); setTimeout(() => require('./a'), 5)`,
    'w.js': `require('./a'); require('fs').readFileSync(__filename)`,
    'a.js': `module.exports = 1`,
  },
  'a worker that is terminated': {
    'app.js': `const { Worker } = require('worker_threads'); const w = new Worker(__dirname + '/w.js'); w.on('message', () => w.terminate().then((c) => console.log('ended', c)))`,
    'w.js': `require('worker_threads').parentPort.postMessage(1); setInterval(() => {}, 1000); for (;;);`,
  },
  'fork, which passes our flags on': {
    'app.js': `const { fork } = require('child_process'); const c = fork(__dirname + '/c.js', ['x']); c.on('message', (m) => { console.log(m); c.disconnect() }); c.on('exit', (code, s) => console.log(code, s))`,
    'c.js': `process.send([require('./a'), process.argv.slice(2), process.execArgv.filter((a) => !/register|^-r$/.test(a)), require.main === module])`,
    'a.js': `module.exports = 'a'`,
  },
  'a child without our flags': {
    'app.js': `const { spawnSync } = require('child_process'); const { stdout, stderr, status } = spawnSync(process.execPath, [__dirname + '/c.js']); console.log(String(stdout), String(stderr), status)`,
    'c.js': `console.log(process.execArgv, Object.keys(require.cache).length); throw new Error('c')`,
  },
  cluster: {
    'app.js': `const cluster = require('cluster'); if (cluster.isPrimary) { cluster.fork().on('exit', (c) => console.log('worker', c)) } else { console.log(require('./a')); process.exit(4) }`,
    'a.js': `module.exports = 'in worker ' + (require.main.filename === __dirname + '/app.js')`,
  },
  'the listeners of process': {
    'app.js': `require('./a'); const count = () => console.log(process.eventNames().map((n) => [String(n), process.listenerCount(n)]).join(' '), process.listeners('exit').length, process.rawListeners('SIGINT').length, Object.keys(process).includes('warmshard')); count(); setTimeout(count, 80); process.on('exit', count)`,
    'a.js': '',
  },
  'eleven listeners for the exit': {
    'app.js': `for (let i = 0; i < 10; i++) process.on('exit', () => console.log(i)); require('./a'); setTimeout(() => { process.removeAllListeners('exit'); for (let i = 0; i < 10; i++) process.on('exit', () => console.log('second', i)) }, 70)`,
    'a.js': '',
  },
  'a warning of an eleventh listener': {
    'app.js': `for (let i = 0; i < 11; i++) process.on('exit', () => {}); for (let i = 0; i < 11; i++) process.on('SIGTERM', () => {}); setTimeout(() => process.exit(), 20)`,
  },
  'all listeners removed': [
    {
      'app.js': `process.removeAllListeners(); process.on('exit', (c) => console.log('exit', c)); console.log(process.eventNames())`,
    },
    { hits: [] },
  ],
  'listeners that come and go': {
    'app.js': `const f = () => console.log('never'); process.on('exit', f); process.once('exit', (c) => console.log('once', c)); process.removeListener('exit', f); process.prependListener('exit', () => console.log('first')); const emit = process.emit; process.emit = function (name, ...more) { if (name === 'exit') console.log('emit', name); return emit.call(this, name, ...more) }; process.on('newListener', (n) => console.log('new', n)); process.on('beforeExit', () => console.log('before')); process.emit('exit', 'by hand')`,
  },
  'reallyExit patched, as signal-exit does': {
    'app.js': `const really = process.reallyExit, emit = process.emit; process.reallyExit = function (c) { console.log('really', c); return really.call(process, c) }; process.emit = function (ev, arg) { const r = emit.apply(this, arguments); if (ev === 'exit') console.log('emitted', arg, process.exitCode); return r }; process.on('SIGTERM', () => {}); setTimeout(() => process.exit(5), 10)`,
  },
  'an exit in a module that is loading': {
    'app.js': `require('./a')`,
    'a.js': `require('./b'); process.on('exit', () => { require('./c') })`,
    'b.js': `process.exitCode = 3; setTimeout(() => process.exit(), 1)`,
    'c.js': `console.log('loaded at the exit')`,
  },
  'a program that changes its working folder': {
    'app.js': `process.chdir('sub'); console.log(require('./a'), process.cwd()); process.chdir('/'); console.log(require('./b'))`,
    'a.js': 'module.exports = 1',
    'b.js': 'module.exports = 2',
    'sub/x': '',
  },
  'output to a pipe': {
    'app.js': `for (let i = 0; i < 100; i++) console.log('line', i); process.stdout.write('end', () => process.exit(0))`,
  },
  'a beforeExit listener that starts new work': {
    'app.js': `let n = 0; process.on('beforeExit', () => { console.log('before', n); if (n++ < 2) setTimeout(() => require('./a'), 1) })`,
    'a.js': `console.log('a')`,
  },
};

for (const [what, program] of Object.entries(programs))
  test(what, async (t) => {
    const [files, options] = Array.isArray(program) ? program : [program, {}];
    await same(t, files, options);
  });

/** A program that runs until a signal ends it; `listen` is its code for signals. */
const waiting = (listen: string) =>
  `require('./a'); ${listen}; setInterval(() => {}, 1000); setTimeout(() => console.log('ready'), 100)`;

for (const signal of ['SIGKILL', 'SIGUSR2'] as const)
  test(`an unhandled ${signal} ends the program`, async (t) => {
    const files = { 'app.js': waiting(''), 'a.js': '' };
    const ended = await same(t, files, { signal, hits: [] });
    t.is(ended.signal, signal);
  });

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
  test(`an unhandled ${signal} ends the program, whose modules are recorded`, async (t) => {
    const files = { 'app.js': waiting(''), 'a.js': '' };
    const ended = await same(t, files, { signal });
    t.is(ended.signal, signal);
  });

test('an ignored signal stays ignored, and ends the program once its listener is removed', async (t) => {
  const listen = `const f = () => {}; process.on('SIGTERM', f); process.kill(process.pid, 'SIGTERM');
    setTimeout(() => process.off('SIGTERM', f), 50)`;
  const ended = await same(t, { 'app.js': waiting(listen), 'a.js': '' }, { signal: 'SIGTERM', hits: [] });
  t.is(ended.signal, 'SIGTERM');
});

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
  test(`a program can handle ${signal}`, async (t) => {
    const listen = `process.on('${signal}', (s) => { console.log('got', s, process.listenerCount(s)); process.exit(6) })`;
    await same(t, { 'app.js': waiting(listen), 'a.js': '' }, { signal });
  });

test('a program can handle a signal and raise it again', async (t) => {
  const listen = `process.once('SIGTERM', (s) => { console.log('cleaning', s); process.kill(process.pid, s) })`;
  const ended = await same(t, { 'app.js': waiting(listen), 'a.js': '' }, { signal: 'SIGTERM', hits: [] });
  t.is(ended.signal, 'SIGTERM');
});

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
  test(`nothing runs after a ${signal} that a program sends to itself`, async (t) => {
    const app = `require('./a'); process.kill(process.pid, '${signal}'); console.log('behind'); process.exit(0)`;
    const ended = await same(t, { 'app.js': app, 'a.js': '' }, { hits: [] });
    t.is(ended.signal, signal);
  });

test('a signal ends a program even if its event loop is busy', async (t) => {
  const busy = `require('./a'); setTimeout(() => { require('fs').writeSync(1, 'ready'); for (;;); }, 100)`;
  const ended = await same(t, { 'app.js': busy, 'a.js': '' }, { signal: 'SIGINT', hits: [] });
  t.is(ended.signal, 'SIGINT');
});

test('a program that runs long is recorded before its end, and only once', async (t) => {
  const program = new Program(t, {
    'app.js': `require('./a'); setInterval(() => {}, 1000); setTimeout(() => console.log('ready'), 1500)`,
    'a.js': '',
  });
  const first = await program.run({ signal: 'SIGKILL', debug: true });
  t.is(first.signal, 'SIGKILL');
  t.deepEqual(first.lines.filter((line) => line.startsWith('wrote')).length, 1);
  const second = await program.run({ signal: 'SIGKILL', debug: true });
  for (const file of ['app.js', 'a.js']) t.true(second.lines.includes(`hit ${program.at(file)}`));
});

test('several processes can record at the same time', async (t) => {
  const names = Array.from({ length: 40 }, (_, i) => `m${i}.js`);
  const program = new Program(t, {
    'app.js': `for (const n of ${JSON.stringify(names)}) require('./' + n)`,
    ...Object.fromEntries(names.map((name, i) => [name, `console.log(${i}, __filename)`])),
  });
  const expected = await program.plain();
  await Promise.all([1, 2, 3].map((i) => program.one(`process ${i}`, expected)));
  const lines = await program.one('afterwards', expected, { debug: true });
  t.is(lines.filter((line) => line.startsWith('hit ')).length, names.length + 1);
});

test('other commands of a program add their functions to its record', async (t) => {
  const program = new Program(t, {
    'app.js': `const long = () => [${'1, '.repeat(2000)}].length; const other = () => [${'2, '.repeat(2000)}].length; console.log(process.argv[2] === 'long' ? long() : process.argv[2] === 'other' ? other() : 0)`,
  });
  const wrote = async (...args: string[]) => {
    const { lines } = await program.run({ args, debug: true });
    return lines.filter((line) => line.startsWith('wrote')).map((line) => Number(/\d+/.exec(line)?.[0]));
  };
  t.true(((await wrote('long'))[0] ?? 0) > 0);
  t.deepEqual(await wrote('long'), []);
  t.true(((await wrote('other'))[0] ?? 0) > 0, 'its functions are new');
  t.deepEqual(await wrote('other'), []);
  t.deepEqual(await wrote('long'), []);
});
