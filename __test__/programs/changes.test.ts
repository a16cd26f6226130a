// webpack used last week's configuration: the file had been edited, but its size and its time had not changed.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { Expectation, type Outcome, stackless } from '../../bench/register/lib/outcome.mjs';
import { Workspace } from '../../bench/register/lib/workspace.mjs';
import { type Mode, NONE, SWITCHED_OFF, UNUSABLE, WARMSHARD } from '../../bench/register/modes.mjs';
import { PROGRAMS, type Program } from '../../bench/register/programs.mjs';
import { damage, edited, remove, replace, touch } from './helpers/files.js';
import { ready } from './helpers/ready.js';

const PROBE = join(__dirname, '..', '..', 'bench', 'register', 'probe.cjs');
const tree = ready();

/** The last file that the program requires from a package; a program made of ES modules may not require any. */
function dependencyOf(workspace: Workspace, program: Program): string | undefined {
  const file = join(workspace.project, 'required.txt');
  const env = { PROBE_FILE: file };
  workspace.start(program, { ...NONE, name: 'probe', args: ['-r', PROBE] }, { env });
  const packages = join(tree, 'node_modules');
  const own = join(packages, program.bin);
  const files = readFileSync(file, 'utf8')
    .split('\n')
    .filter((path) => path.startsWith(packages) && path !== own && /\.c?js$/.test(path));
  return files.at(-1);
}

for (const program of PROGRAMS)
  test.serial(`${program.name}: the same output, cold, warm, and after every change`, (t) => {
    const workspace = Workspace.of(join(tree, 'work'), program.name);
    const without = () => workspace.start(program, NONE);
    const start = (mode: Mode = WARMSHARD) => workspace.start(program, mode);
    const same = (expected: Expectation, when: string, outcome: Outcome = start()) =>
      t.is(expected.differs(outcome), undefined, when);

    const expected = new Expectation(without);
    t.is(expected.sample.exit, `${program.exit ?? 0}`, expected.sample.stderr);
    for (const when of ['cold', 'warm', 'warm again']) same(expected, when);
    same(expected, 'switched off', start(SWITCHED_OFF));
    same(expected, 'with a cache folder that cannot be created', start(UNUSABLE));

    const [file, from, to] = program.edit;
    const source = workspace.resolve(file);
    const text = readFileSync(source, 'utf8');
    replace(source, edited(text, from, to));
    const changed = new Expectation(without);
    t.false(expected.fits(changed.sample), 'the edit does not change the output');
    for (const when of ['edited', 'edited, warm']) same(changed, when);
    replace(source, text);
    same(expected, 'edited back');

    // The file's time lies in the future, as if the file were written at the moment of caching, and edited in the same moment.
    const moment = Math.ceil(Date.now() / 1000) + 30;
    replace(source, text, moment);
    workspace.forget(WARMSHARD);
    for (const when of ['racy, cold', 'racy, warm']) same(expected, when);
    replace(source, edited(text, from, to), moment);
    for (const when of ['edited, the same time', 'edited, the same time, warm']) same(changed, when);
    replace(source, text);

    const packages = program.bin.split('/', program.bin.startsWith('@') ? 2 : 1).join('/');
    for (const path of ['package.json', `node_modules/${packages}/package.json`]) {
      touch(workspace.resolve(path));
      same(expected, `${path} touched`);
    }

    const dependency = dependencyOf(workspace, program);
    same(expected, 'before a dependency is removed');
    if (dependency === undefined) t.is(program.kind, 'ESM');
    else {
      const restore = remove(dependency);
      const lacking = new Expectation(() => stackless(without()));
      same(lacking, `without ${dependency}`, stackless(start()));
      restore();
      for (const when of ['the dependency is back', 'the dependency is back, warm']) same(expected, when);
    }

    for (const how of ['overwritten', 'cut off'] as const) {
      const files = damage(join(workspace.stateOf(WARMSHARD), 'cache'), how);
      t.true(files > 0, 'nothing was cached');
      for (const when of ['read', 'read again']) same(expected, `${how}, ${when}`);
    }
  });
