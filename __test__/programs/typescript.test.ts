// One of 300 TypeScript files was edited, and the program still ran the old version.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { writeModules } from '../../bench/register/lib/modules.mjs';
import { Expectation } from '../../bench/register/lib/outcome.mjs';
import { Workspace } from '../../bench/register/lib/workspace.mjs';
import { NONE, WARMSHARD } from '../../bench/register/modes.mjs';
import { edited, replace } from './helpers/files.js';
import { ready } from './helpers/ready.js';

test('300 TypeScript files print what their JavaScript prints, also after an edit', async (t) => {
  const workspace = new Workspace(join(ready(), 'work'), 'typescript');
  const { project } = workspace;
  const compiled = `${project}-compiled`;
  await writeModules(project, compiled);
  const expected = new Expectation(() => workspace.run(NONE, [join(compiled, 'main.js')]));
  t.regex(expected.sample.stdout, /^\d+\n$/);
  // Node.js may print warnings about TypeScript, so standard error is not compared.
  const start = () => ({ ...workspace.run(WARMSHARD, [join(project, 'main.ts')]), stderr: '' });
  for (const when of ['cold', 'warm', 'warm again']) t.is(expected.differs(start()), undefined, when);

  for (const path of [join(project, 'part150.ts'), join(compiled, 'part150.js')])
    replace(path, edited(readFileSync(path, 'utf8'), 'amount + keys', 'amount * keys'));
  const changed = new Expectation(() => workspace.run(NONE, [join(compiled, 'main.js')]));
  t.not(changed.sample.stdout, expected.sample.stdout, 'the edit does not change the output');
  for (const when of ['edited', 'edited, warm']) t.is(changed.differs(start()), undefined, when);
});
