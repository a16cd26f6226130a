// Two keys that differed in one character got each other's value, but only if they had a certain length.
//
// Hashing and comparing keys takes a different path for short, medium and long keys. So every length is tested, through every
// way into the addon, with keys that differ in one character.

import test, { type ExecutionContext } from 'ava';
import { Shard } from 'warmshard';
import { bytes, text } from './helpers/bytes.js';
import { shardPath } from './helpers/folder.js';

const LONGEST = 4094;
const LENGTHS = [...Array(300).keys(), 511, 512, 1023, 1024, 1025, LONGEST - 1, LONGEST].filter((n) => n > 0);

/** Keys of one length that differ from the first in one character: at the ends, and around the ends of words. */
function family(length: number, other: string): string[] {
  const plain = Array.from({ length }, (_, i) => String.fromCharCode(97 + ((i * 7) % 26)));
  const places = [
    0,
    7,
    8,
    15,
    16,
    31,
    32,
    63,
    64,
    127,
    128,
    length >> 1,
    length - 16,
    length - 9,
    length - 1,
  ];
  const at = [...new Set(places)].filter((i) => i >= 0 && i < length);
  return [plain.join(''), ...at.map((i) => plain.with(i, other).join(''))];
}

const flat = (key: string): string => JSON.parse(JSON.stringify(key));
/** The same characters in the different kinds of strings that V8 has. */
const FORMS: Record<string, (key: string) => string> = {
  flat,
  rope: (key) => flat(key.slice(0, key.length >> 1)) + flat(key.slice(key.length >> 1)),
  slice: (key) => flat(`${key}behind`).slice(0, key.length),
  'two bytes': (key) => `\u{1f511}${key}`.slice(2),
};

function check(t: ExecutionContext, shard: Shard, other: string): void {
  const values = new Map<string, string>();
  for (const length of LENGTHS) {
    const [plain, ...others] = family(length, other) as [string, ...string[]];
    // Store the plain key and every second of the others; the rest is absent.
    for (const [i, key] of [plain, ...others].entries())
      if (i % 2 === 0 && Buffer.byteLength(key) <= LONGEST) values.set(key, `${length} ${i}`);
  }
  let put = 0;
  for (const [key, value] of values) {
    if (put++ % 3 === 0) shard.put(key, bytes(value));
    else shard.mergeIn([[key, bytes(value)]]);
  }
  let wrong = 0;
  const say = (what: string) => {
    if (wrong++ < 5) t.fail(what);
  };
  // Several rounds: the first look-ups go through Node-API, later ones through the fast door, then answers may be kept.
  for (let round = 0; round < 4; round++)
    for (const length of LENGTHS)
      for (const key of family(length, other)) {
        if (Buffer.byteLength(key) > LONGEST) continue;
        for (const [name, form] of Object.entries(FORMS)) {
          const found = text(shard.get(form(key)));
          if (found !== values.get(key)) say(`${name} of ${length}: ${found}, not ${values.get(key)}`);
        }
        if (shard.has(flat(key)) !== values.has(key)) say(`has of ${length}`);
      }
  const keys = LENGTHS.flatMap((length) => family(length, other)).filter(
    (k) => Buffer.byteLength(k) <= LONGEST,
  );
  const many = shard.getMany(keys).map(text);
  for (const [i, key] of keys.entries()) if (many[i] !== values.get(key)) say(`getMany of ${key.length}`);
  t.is(wrong, 0);
}

for (const [name, other] of Object.entries({ ASCII: 'Z', 'a zero': '\0', 'Latin-1': 'é', 'two bytes': 'Ł' }))
  for (const options of [{}, { copy: true }, { access: 'read' as const }, { digest: 'blake3' as const }])
    test(`keys of every length are distinguished: ${name}, ${JSON.stringify(options)}`, (t) => {
      using shard = Shard.open(shardPath(t), options);
      check(t, shard, other);
    });
