// A compiler that never does the same work twice, in any process.
//
// It compiles Brainfuck to WebAssembly. Each module is kept under the fingerprint of everything that it depends on: the
// compiler's version and the source. The first process compiles; the second one finds every module in the cache, and
// runs it to prove that it does the same.
//
//     node examples/pipeline-wasm.mjs

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DiskPipelineCache, fingerprint, LayeredPipelineCache, MemoryPipelineCache } from 'warmshard';

/** Raise this number with each change of what the compiler emits. */
const COMPILER = 'bf2wasm 1';

// ---- the cache around the compiler ------------------------------------------------------------------------------

/**
 * @param {LayeredPipelineCache} cache
 * @param {string} source
 * @returns {Uint8Array} a WebAssembly module
 */
function compileCached(cache, source) {
  const key = fingerprint(COMPILER, source);
  const cached = cache.get(key);
  if (cached !== undefined) return cached;
  const module = compile(source);
  cache.put(key, module);
  return module;
}

/** @param {string} root */
function work(root) {
  const disk = new DiskPipelineCache(root);
  // Memory in front of the disk; what is compiled goes to both.
  const cache = new LayeredPipelineCache([new MemoryPipelineCache(), disk], { write: 'all' });
  const sources = programs();
  const modules = sources.map((source) => compileCached(cache, source));
  const metrics = cache.metrics();
  let started = performance.now();
  for (const source of sources) compileCached(cache, source);
  const memoryMs = performance.now() - started;
  started = performance.now();
  const fresh = new DiskPipelineCache(root);
  for (const source of sources) fresh.get(fingerprint(COMPILER, source));
  const diskMs = performance.now() - started;
  started = performance.now();
  for (const source of sources) compile(source);
  const compileMs = performance.now() - started;
  started = performance.now();
  cache.flush();
  const flushMs = performance.now() - started;
  const output = createHash('sha256');
  let bytes = 0;
  for (const module of modules) {
    output.update(run(module));
    bytes += module.length;
  }
  const { durable } = disk.durabilityReport();
  return {
    ...{ modules: modules.length, bytes, output: output.digest('hex'), durable },
    ...{ hits: metrics.hits, misses: metrics.misses, memoryMs, diskMs, compileMs, flushMs },
  };
}

// ---- programs ---------------------------------------------------------------------------------------------------

const HELLO =
  '++++++++[>++++[>++>+++>+++>+<<<<-]>+>+>->>+[<]<-]>>.>---.+++++++..+++.>>.<-.<.+++.------.--------.>>+.>++.';
const TRIANGLE =
  '++++++++[>+>++++<<-]>++>>+<[-[>>+<<-]+>>]>+[-<<<[->[+[-]+>++>>>-<<]<[<]>>++++++[<<+++++>>-]+<<++.[-]<<]>.>+[>>]>+]';

/** Two classics, and for each paragraph of this package's documents a program that prints it. */
function programs() {
  const docs = new URL('../docs/', import.meta.url);
  const files = readdirSync(docs).map((name) => new URL(name, docs));
  files.push(new URL('../README.md', import.meta.url), new URL('../ARCHITECTURE.md', import.meta.url));
  const texts = files
    .filter((file) => file.pathname.endsWith('.md'))
    .map((file) => readFileSync(file, 'utf8'));
  return [...new Set([HELLO, TRIANGLE, ...texts.flatMap((text) => text.split('\n\n')).map(printer)])];
}

/** @param {string} text */
function printer(text) {
  let last = 0;
  return Array.from(Buffer.from(text), (byte) => {
    const step = byte - last;
    last = byte;
    return `${(step < 0 ? '-' : '+').repeat(Math.abs(step))}.`;
  }).join('');
}

/** @param {Uint8Array} module */
function run(module) {
  /** @type {number[]} */
  const output = [];
  const imports = { host: { put: (/** @type {number} */ byte) => output.push(byte) } };
  // TypeScript declares it only together with the APIs of browsers.
  const { Instance, Module } = /** @type {Record<string, any>} */ (globalThis).WebAssembly;
  const { exports } = new Instance(new Module(module), imports);
  exports.run();
  return Buffer.from(output);
}

// ---- the compiler -----------------------------------------------------------------------------------------------

/**
 * Steps: `add` to the cell, `move` to another one, `put` it out, `loop` while it is not zero; `scale`: add its
 * multiples to others and clear it, which is what a loop such as `[->+>++<<]` comes to.
 *
 * @typedef {{ add: number } | { move: number } | { put: true } | { loop: Step[] } | { scale: Map<number, number> }} Step
 */

/** @param {string} source */
function parse(source) {
  /** @type {Step[][]} */
  const open = [[]];
  for (const char of source) {
    const steps = /** @type {Step[]} */ (open.at(-1));
    const last = steps.at(-1);
    if (char === '+' || char === '-') {
      const by = char === '+' ? 1 : -1;
      if (last && 'add' in last) last.add += by;
      else steps.push({ add: by });
    } else if (char === '>' || char === '<') {
      const by = char === '>' ? 1 : -1;
      if (last && 'move' in last) last.move += by;
      else steps.push({ move: by });
    } else if (char === '.') steps.push({ put: true });
    else if (char === '[') open.push([]);
    else if (char === ']') {
      open.pop();
      const outer = open.at(-1);
      if (outer === undefined) throw new SyntaxError('] without [');
      outer.push(scaled(steps) ?? { loop: steps });
    }
  }
  if (open.length !== 1) throw new SyntaxError('[ without ]');
  return /** @type {Step[]} */ (open[0]);
}

/**
 * A loop that only adds, comes back to its cell and takes one from it each time.
 *
 * @param {Step[]} steps
 * @returns {Step | undefined}
 */
function scaled(steps) {
  let at = 0;
  /** @type {Map<number, number>} */
  const scale = new Map();
  for (const step of steps) {
    if ('move' in step) at += step.move;
    else if ('add' in step) scale.set(at, (scale.get(at) ?? 0) + step.add);
    else return undefined;
  }
  if (at !== 0 || scale.get(0) !== -1) return undefined;
  scale.delete(0);
  return { scale };
}

/** @param {number} value */
function leb(value) {
  const bytes = [];
  for (let rest = value; ; rest >>= 7) {
    const low = rest & 0x7f;
    if ((rest >> 7 === 0 && !(low & 0x40)) || (rest >> 7 === -1 && low & 0x40)) return [...bytes, low];
    bytes.push(low | 0x80);
  }
}

/** @param {number} value */
function uleb(value) {
  const bytes = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return [...bytes, rest];
    bytes.push((rest & 0x7f) | 0x80);
  }
}

const CELL = [0x20, 0]; // local.get 0: where we are on the tape
const LOAD = [0x2d, 0, 0]; // i32.load8_u
const STORE = [0x3a, 0, 0]; // i32.store8
const ADD = 0x6a;
const constant = (/** @type {number} */ value) => [0x41, ...leb(value)];

/**
 * @param {Step[]} steps
 * @param {number[]} out
 */
function emit(steps, out) {
  for (const step of steps) {
    if ('add' in step) out.push(...CELL, ...CELL, ...LOAD, ...constant(step.add), ADD, ...STORE);
    else if ('move' in step) out.push(...CELL, ...constant(step.move), ADD, 0x21, 0);
    else if ('put' in step) out.push(...CELL, ...LOAD, 0x10, 0);
    else if ('scale' in step) {
      for (const [offset, factor] of step.scale) {
        const other = [...CELL, ...constant(offset), ADD];
        out.push(...other, ...other, ...LOAD, ...CELL, ...LOAD, ...constant(factor), 0x6c, ADD, ...STORE);
      }
      out.push(...CELL, ...constant(0), ...STORE);
    } else {
      // block, loop: leave when the cell is zero.
      out.push(0x02, 0x40, 0x03, 0x40, ...CELL, ...LOAD, 0x45, 0x0d, 1);
      emit(step.loop, out);
      out.push(0x0c, 0, 0x0b, 0x0b);
    }
  }
}

/**
 * @param {string} source
 * @returns {Uint8Array} a WebAssembly module that imports `host.put` and exports `run`
 */
function compile(source) {
  const section = (/** @type {number} */ id, /** @type {number[]} */ body) => [
    id,
    ...uleb(body.length),
    ...body,
  ];
  const name = (/** @type {string} */ text) => [text.length, ...Buffer.from(text)];
  /** @type {number[]} */
  const code = [1, 1, 0x7f, ...constant(1024), 0x21, 0];
  emit(parse(source), code);
  code.push(0x0b);
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [2, 0x60, 1, 0x7f, 0, 0x60, 0, 0]),
    ...section(2, [1, ...name('host'), ...name('put'), 0, 0]),
    ...section(3, [1, 1]),
    ...section(5, [1, 0, 1]),
    ...section(7, [1, ...name('run'), 0, 1]),
    ...section(10, [1, ...uleb(code.length), ...code]),
  ]);
}

// ---- two processes, one after the other -------------------------------------------------------------------------

/** @param {string} root */
function inProcess(root) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), root], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`the process failed:\n${stderr}`);
  return /** @type {ReturnType<typeof work>} */ (JSON.parse(stdout));
}

function main() {
  if (!run(compile(HELLO)).equals(Buffer.from('Hello World!\n'))) throw new Error('the compiler is wrong');
  const root = mkdtempSync(join(tmpdir(), 'pipeline-wasm-'));
  try {
    const first = inProcess(root);
    const second = inProcess(root);
    const each = (/** @type {number} */ ms) => `${((ms * 1000) / second.modules).toFixed(1)} µs each`;
    console.log(`${first.modules} modules, ${(first.bytes / 1024).toFixed(0)} KiB of WebAssembly`);
    console.log(`first process:  ${first.misses} compiled, flushed in ${first.flushMs.toFixed(1)} ms`);
    console.log(`second process: ${second.misses} compiled, ${second.hits} from the cache`);
    console.log(`compiling:   ${each(second.compileMs)}`);
    console.log(`from disk:   ${each(second.diskMs)}, read and verified`);
    console.log(`from memory: ${each(second.memoryMs)}`);
    const sound =
      first.misses === first.modules &&
      second.hits === second.modules &&
      second.misses === 0 &&
      first.output === second.output &&
      first.durable;
    console.log(
      sound ? 'what the modules print is the same' : `DIFFERENT: ${JSON.stringify([first, second])}`,
    );
    return sound;
  } finally {
    rmSync(root, { recursive: true });
  }
}

const root = process.argv[2];
if (root !== undefined) console.log(JSON.stringify(work(root)));
else if (!main()) process.exitCode = 1;
