// Generates the TypeScript of a medium-sized program: modules that import each other, with interfaces, generics, classes,
// tables and comments; a start runs only a part of the code. It is made from a seed, so every run measures the same text.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { transform } from 'esbuild';

export const COUNT = 300;
const BYTES = 841_000;
/** The most other modules that a module imports. */
const MOST_IMPORTS = 4;
const SEED = 20_261_120;

const NOUNS =
  'order line price stock parcel route driver depot invoice tax label weight batch queue window'.split(' ');
const VERBS =
  'collect assign weigh sort merge split check plan price pack load trace close count group'.split(' ');

/** A generator of numbers below a bound (xorshift); the same seed gives the same numbers. @param {number} seed */
function random(seed) {
  let state = seed;
  return (/** @type {number} */ below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** @param {string} word */
const capital = (word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`;
/** @param {number} i */
const fileOf = (i) => `part${String(i).padStart(3, '0')}.ts`;

/** The text of one function that works on the module's type. @param {number} i @param {number} n @param {(below: number) => number} below */
function routine(i, n, below) {
  const noun = NOUNS[below(NOUNS.length)] ?? '';
  const name = `${VERBS[below(VERBS.length)]}${capital(noun)}${n}`;
  return `
/**
 * Goes through the ${noun} entries and keeps those that count, up to a limit.
 * Entries without an amount are taken as ${below(90)}.
 */
export function ${name}<T extends Entry${i}>(entries: readonly T[], limit: number = ${10 + below(90)}): Map<string, T[]> {
  const kept = new Map<string, T[]>();
  let total: number = ${below(50)};
  for (const entry of entries) {
    const amount: number = entry.amount ?? ${below(90)};
    if (total + amount > limit && kept.size > ${below(5)}) break;
    const group = kept.get(entry.kind) ?? ([] as T[]);
    group.push(entry);
    kept.set(entry.kind, group);
    total += entry.kind === '${noun}' ? amount * ${2 + below(7)} : amount;
  }
  return kept;
}
`;
}

/** @param {number} i @param {number[]} imported @param {(below: number) => number} below */
function moduleText(i, imported, below) {
  const kinds = Array.from({ length: 3 }, (_, n) => `${NOUNS[(i + n * 4) % NOUNS.length]}`);
  let text = `// Part ${i}: what is known of ${kinds.join(', ')}.
${imported.map((j) => `import { total${j} } from './${fileOf(j)}';\nimport type { Entry${j} } from './${fileOf(j)}';`).join('\n')}

export interface Entry${i} {
  readonly kind: ${kinds.map((kind) => `'${kind}'`).join(' | ')};
  amount?: number;
  notes: Record<string, ${imported[0] === undefined ? 'unknown' : `Entry${imported[0]}`} | undefined>;
}

type Keys${i} = Exclude<keyof Entry${i}, 'notes'>;

const table: Record<Entry${i}['kind'], readonly number[]> = {
${kinds.map((kind) => `  ${kind}: [${Array.from({ length: 8 }, () => below(1000)).join(', ')}],`).join('\n')}
};

export class Ledger${i}<K extends Entry${i}['kind'] = Entry${i}['kind']> {
  private readonly entries: Entry${i}[] = [];
  protected last: K | undefined;

  add(kind: K, amount: number, ...keys: Keys${i}[]): this {
    this.entries.push({ kind, amount: amount + keys.length, notes: {} });
    this.last = kind;
    return this;
  }

  get total(): number {
    return this.entries.reduce((sum: number, { amount = 0 }: Entry${i}) => sum + amount, 0);
  }
}

export const total${i}: number = (new Ledger${i}()
  .add('${kinds[0]}', table.${kinds[1]}[${below(8)}] as number)
  .total ${imported.map((j) => `+ total${j}`).join(' ')}) % 1_000_003;
`;
  const wanted = BYTES / COUNT;
  for (let n = 0; text.length < wanted - 322; n++) text += routine(i, n, below);
  return text;
}

/** The texts of all modules and of `main.ts`, by file name. */
export function modules() {
  const below = random(SEED);
  /** @type {Map<string, string>} */
  const texts = new Map();
  const unused = new Set();
  for (let i = 0; i < COUNT; i++) {
    const imported = new Set();
    for (let n = Math.min(i, 1 + below(MOST_IMPORTS)); n > 0; n--) imported.add(below(i));
    for (const j of imported) unused.delete(j);
    unused.add(i);
    texts.set(fileOf(i), moduleText(i, [...imported], below));
  }
  const last = [...unused];
  texts.set(
    'main.ts',
    `${last.map((i) => `import { total${i} } from './${fileOf(i)}';`).join('\n')}

const totals: readonly number[] = [${last.map((i) => `total${i}`).join(', ')}];
console.log(totals.reduce((sum: number, total: number) => (sum * 31 + total) % 1_000_003, 7));
`,
  );
  return texts;
}

/** Writes the modules into one folder, and transpiled to CommonJS into another. @param {string} folder @param {string} compiled */
export async function writeModules(folder, compiled) {
  for (const path of [folder, compiled]) {
    mkdirSync(path, { recursive: true });
    // Without "type", the loader decides which kind of module a file is.
    writeFileSync(join(path, 'package.json'), '{ "private": true }\n');
  }
  writeFileSync(
    join(folder, 'tsconfig.json'),
    '{ "compilerOptions": { "target": "ES2022", "module": "CommonJS", "moduleResolution": "node10" } }\n',
  );
  let bytes = 0;
  for (const [name, text] of modules()) {
    writeFileSync(join(folder, name), text);
    bytes += text.length;
    const { code } = await transform(text, {
      loader: 'ts',
      format: 'cjs',
      platform: 'node',
      target: 'node20',
    });
    writeFileSync(join(compiled, name.replace(/ts$/, 'js')), code.replaceAll(/(\.\/part\d+)\.ts/g, '$1.js'));
  }
  return { bytes };
}
