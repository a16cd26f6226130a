// A newcomer copied the README's first example, and it did not run.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { Shard } from 'warmshard';
import { shardPath } from './helpers/folder.js';

test('the example of the README compiles once and then hits', (t) => {
  const readme = readFileSync(join(__dirname, '..', 'README.md'), 'utf8');
  const example = /```js\n([\s\S]*?)```/.exec(readme)?.[1];
  t.truthy(example);
  const body = (example as string)
    .replace(/^import .*\n/m, '')
    .replace("'/var/cache/app/artifacts.shard'", JSON.stringify(shardPath(t)));
  const compiled: string[] = [];
  const ran: string[] = [];
  const program = new Function('Shard', 'compile', 'run', body);
  for (let i = 0; i < 2; i++) {
    program(
      Shard,
      (path: string) => {
        compiled.push(path);
        return Buffer.from(`code of ${path}`);
      },
      (code: Uint8Array) => ran.push(Buffer.from(code).toString()),
    );
  }
  t.is(compiled.length, 1);
  t.deepEqual(ran, ['code of /app/views/home.tpl', 'code of /app/views/home.tpl']);
});
