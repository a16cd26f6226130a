// While a program started, V8 marked its heap for nothing, because there was no garbage yet.

import test from 'ava';
import { major, Program } from '../helpers/program.js';

/** Enough objects to exceed V8's first limit of the heap. */
const OBJECTS = 1_500_000;

/** How many MB the heap was above V8's limit when marking began because of it; `undefined` if that did not happen. */
function overshoot(stdout: string): number | undefined {
  const found =
    /Start \(allocation limit\): .* v8: (\d+)MB \/ (?:\d+MB \/ (?=\d+MB \/ \d+MB global))?(\d+)MB/.exec(
      stdout,
    );
  return found === null ? undefined : Number(found[1]) - Number(found[2]);
}

test('the trace of V8 is parsed correctly', (t) => {
  const old = '[IncrementalMarking] Start (allocation limit): (size/limit/slack)';
  t.is(overshoot(`${old} v8: 85MB / 53MB / 0MB global: 85MB / 106MB / 21MB`), 32);
  const waste = '[IncrementalMarking] Start (allocation limit): (size/waste/limit/slack)';
  t.is(overshoot(`${waste} v8: 136MB / 0MB / 82MB / 0MB global: 136MB / 0MB / 144MB / 8MB`), 54);
  t.is(overshoot('[IncrementalMarking] Start (external memory pressure)'), undefined);
});

// Older versions do not have this call.
if (major >= 24)
  test('V8 is told that a program is being loaded', async (t) => {
    const program = new Program(t, {
      'app.js': `require('./kept')(${OBJECTS});`,
      'kept.js':
        'const kept = [];\nmodule.exports = (n) => { for (let i = 0; i < n; i++) kept.push({ i, text: [i] }); };',
    });
    const node = ['--trace-incremental-marking'];
    const plain = overshoot((await program.plain({ node })).stdout);
    t.true(plain !== undefined && plain < 30, `without warmshard: ${plain} MB`);
    for (const when of ['cold', 'warm']) {
      const { code, stdout, stderr } = await program.run({ node });
      t.is(code, 0, stderr);
      const past = overshoot(stdout);
      // While loading, the heap may exceed the limit by 32 MiB.
      t.true(past === undefined || past >= 30, `${when}: ${past} MB`);
    }
  });

test('the heap limit of the user is respected', async (t) => {
  const program = new Program(t, {
    'app.js': `require('./kept')(${OBJECTS});`,
    'kept.js':
      'module.exports = (n) => { let kept = []; for (let i = 0; i < n; i++) { kept.push({ i, text: [i] }); if (kept.length === 1e5) kept = []; } };',
  });
  const options = { node: ['--max-old-space-size=24'] };
  const expected = await program.plain(options);
  t.is(expected.code, 0);
  await program.one('cold', expected, options);
  await program.one('warm', expected, options);
});
