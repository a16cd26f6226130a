// An attacker put a file into /tmp before a tool ran, and the tool executed the code in it.

import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { Shard } from 'warmshard';
import { bytes, text } from './helpers/bytes.js';
import { type Inside, inChild } from './helpers/child.js';
import { folder, shardPath } from './helpers/folder.js';
import { throwsCode } from './helpers/throws.js';

const mode = (path: string) => lstatSync(path).mode & 0o7777;

test('only the owner may access new files, and new folders for them', async (t) => {
  const body = ({ warmshard: { Shard } }: Inside, path: string) => {
    // A mask that removes no permissions.
    process.umask(0);
    const shard = Shard.open(path);
    shard.put('key', new Uint8Array(1));
    shard.compact();
    shard.replaceAll([['key', new Uint8Array(1)]]);
    shard.close();
  };
  const dir = folder(t);
  const path = join(dir, 'made', 'deep', 'cache.shard');
  await inChild(t, body, path);
  t.is(mode(path), 0o600);
  t.is(mode(`${path}.lock`), 0o600);
  t.is(mode(join(dir, 'made')), 0o700);
  t.is(mode(join(dir, 'made', 'deep')), 0o700);
});

for (const suffix of ['', '.lock']) {
  const name = suffix === '' ? 'shard' : 'sidecar';
  const refused = (t: import('ava').ExecutionContext, make: (path: string) => void) => {
    for (const options of [{}, { readOnly: true }]) {
      const path = shardPath(t);
      make(path + suffix);
      const error = throwsCode(t, 'ERR_UNTRUSTED_FILE', () => Shard.open(path, options));
      t.is(error?.path, path + suffix);
      t.true(error?.message.includes(path + suffix));
    }
  };

  test(`a ${name} that is a link is refused, and its target is not touched`, (t) => {
    const target = join(folder(t), 'precious');
    writeFileSync(target, 'precious', { mode: 0o600 });
    refused(t, (path) => symlinkSync(target, path));
    refused(t, (path) => symlinkSync(join(folder(t), 'nowhere'), path));
    t.is(readFileSync(target, 'utf8'), 'precious');
  });

  test(`a ${name} that is a folder, a pipe or a device is refused, without blocking`, (t) => {
    refused(t, (path) => mkdirSync(path));
    refused(t, (path) => t.is(spawnSync('mkfifo', [path]).status, 0));
    if (process.getuid?.() === 0 && spawnSync('mknod', [join(folder(t), 'x'), 'c', '1', '3']).status === 0)
      refused(t, (path) => spawnSync('mknod', [path, 'c', '1', '3']));
  });

  test(`a ${name} that others may write to is refused`, (t) => {
    for (const permissions of [0o602, 0o620, 0o666, 0o622])
      refused(t, (path) => {
        writeFileSync(path, '');
        chmodSync(path, permissions);
      });
  });
}

test('a shard that others may read is accepted', (t) => {
  const path = shardPath(t);
  Shard.open(path).put('key', bytes('value'));
  chmodSync(path, 0o644);
  chmodSync(`${path}.lock`, 0o644);
  using shard = Shard.open(path);
  t.is(text(shard.get('key')), 'value');
});

test("trust 'group' allows a group to write, but nobody else", (t) => {
  const path = shardPath(t);
  Shard.open(path).put('key', bytes('value'));
  chmodSync(path, 0o660);
  chmodSync(`${path}.lock`, 0o660);
  throwsCode(t, 'ERR_UNTRUSTED_FILE', () => Shard.open(path));
  throwsCode(t, 'ERR_UNTRUSTED_FILE', () => Shard.open(path, { trust: 'system' }));
  using shard = Shard.open(path, { trust: 'group' });
  t.is(text(shard.get('key')), 'value');
  chmodSync(path, 0o662);
  throwsCode(t, 'ERR_UNTRUSTED_FILE', () => Shard.open(path, { trust: 'group' }));
});

test("a shard of another user is refused; one of root is accepted with trust 'system'", async (t) => {
  if (process.getuid?.() !== 0) {
    t.log('skipped: only root can be two users');
    t.pass();
    return;
  }
  const dir = folder(t);
  chmodSync(dir, 0o755);
  const path = join(dir, 'cache.shard');
  {
    using shard = Shard.open(path);
    shard.put('key', bytes('value'));
    shard.flush();
  }
  chmodSync(path, 0o644);
  chmodSync(`${path}.lock`, 0o644);
  const body = ({ warmshard: { Shard } }: Inside, path: string) => {
    // Load the addon before the user changes, because the other user may have no access to the checkout.
    Shard.open(path, { readOnly: true }).close();
    process.setgid?.(65534);
    process.setuid?.(65534);
    const attempt = (options: object) => {
      try {
        const shard = Shard.open(path, { ...options, readOnly: true });
        return Buffer.from(shard.get('key') ?? []).toString();
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    return [attempt({}), attempt({ trust: 'group' }), attempt({ trust: 'system' })];
  };
  t.deepEqual(await inChild(t, body, path), ['ERR_UNTRUSTED_FILE', 'ERR_UNTRUSTED_FILE', 'value']);
});

test('a link that appears at the path while the shard is open is not followed', (t) => {
  const path = shardPath(t);
  const target = join(folder(t), 'precious');
  writeFileSync(target, 'precious', { mode: 0o600 });
  using shard = Shard.open(path);
  symlinkSync(target, path);
  throwsCode(t, 'ERR_UNTRUSTED_FILE', () => shard.put('key', bytes('value')));
  t.is(readFileSync(target, 'utf8'), 'precious');
  t.true(existsSync(path));
});
