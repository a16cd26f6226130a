// A newcomer copied the first example of the README, and it did not run.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { ScriptCache, Shard } from 'warmshard';
import { folder, shardPath } from './helpers/folder.js';
import { source } from './helpers/scripts.js';

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

test('the example of the script cache compiles once, and again when the source changes', (t) => {
  const readme = readFileSync(join(__dirname, '..', 'README.md'), 'utf8');
  const example = [...readme.matchAll(/```js\n([\s\S]*?)```/g)]
    .map(([, code]) => code)
    .find((code) => code?.includes('ScriptCache'));
  const template = join(folder(t), 'home.tpl');
  const body = (example as string)
    .replace(/^import .*\n/m, '')
    .replace("'/var/cache/app/templates.shard'", JSON.stringify(shardPath(t)))
    .replaceAll("'views/home.tpl'", JSON.stringify(template));
  const program = new Function('ScriptCache', 'compile', `${body}; cache.close(); return parts.code;`);
  let compiled = 0;
  const compile = (path: string) => {
    compiled++;
    return Buffer.from(`code of ${readFileSync(path, 'utf8')}`);
  };
  for (const [text, expected] of [
    ['one', 1],
    ['one', 1],
    ['other', 2],
  ] as const) {
    source(template, text);
    t.is(Buffer.from(program(ScriptCache, compile)).toString(), `code of ${text}`);
    t.is(compiled, expected);
  }
});
