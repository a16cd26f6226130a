// A tool was installed setuid root, and any user could choose the code that it ran as root, by an environment variable.

import test from 'ava';
import { type Inside, inChild } from './helpers/child.js';
import { folder } from './helpers/folder.js';

const root = process.getuid?.() === 0 ? test : test.skip;

root(
  'environment variables that name code or files are ignored in a process with the rights of another user',
  async (t) => {
    const elsewhere = `${folder(t)}/none.node`;
    const own = await inChild(t, ({ warmshard: { defaultCachePath } }: Inside) => defaultCachePath(), 0, {
      env: { WARMSHARD_HOME: '/home-of-mine' },
    });
    t.is(own, '/home-of-mine/scripts.shard');
    const foreign = await inChild(
      t,
      (inside: Inside, home: string) => {
        process.seteuid?.(65534);
        const { Shard, defaultCachePath } = inside.warmshard;
        let at = '';
        try {
          at = defaultCachePath();
        } catch {}
        // The addon is found, but not where the variable says.
        const shard = () => Shard.open('/proc/none/none.shard', { readOnly: true });
        let code = '';
        try {
          shard().close();
        } catch (error) {
          code = (error as { code: string }).code;
        }
        return { believed: at.startsWith(home), code };
      },
      '/home-of-somebody',
      {
        env: {
          WARMSHARD_HOME: '/home-of-somebody',
          XDG_CACHE_HOME: '/home-of-somebody',
          WARMSHARD_NATIVE_PATH: elsewhere,
        },
      },
    );
    t.false(foreign.believed);
    t.not(foreign.code, 'ERR_NATIVE_LOAD');
  },
);
