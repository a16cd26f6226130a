// A look-up with an invalid key returned the value of the look-up before it.

import test from 'ava';
import { closeHandle, hot, openHandle, STATUS } from '../facade/handle.js';
import { DEFAULTS } from '../facade/options.js';
import { bytes } from './helpers/bytes.js';
import { shardPath } from './helpers/folder.js';

const MISS = -1;

test('a look-up that throws does not leave the status of the one before', (t) => {
  const handle = openHandle(shardPath(t), DEFAULTS, false);
  const { first, answer } = handle;
  const status = () => (answer[STATUS] as number) | 0;
  hot(handle).put('key', bytes('value'));
  for (const bad of [5, undefined, {}, '', 'x'.repeat(5000), 'a\ud800', Symbol('key')] as string[]) {
    first.get('key');
    t.not(status(), MISS);
    t.throws(() => first.get(bad), { code: 'ERR_INVALID_KEY' });
    t.is(status(), MISS);
  }
  first.get('key');
  t.not(status(), MISS);
  closeHandle(handle);
  t.throws(() => first.get('key'), { code: 'ERR_CLOSED' });
  t.is(status(), MISS);
});
