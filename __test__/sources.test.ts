// Half of a cache belonged to files that had been deleted years ago, and nothing ever removed their entries.

import { rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bytes } from './helpers/bytes.js';
import { folder } from './helpers/folder.js';
import { everyWay } from './helpers/ways.js';

everyWay('evictStale drops entries whose source is gone or changed, and no others', async (t, way) => {
  const dir = folder(t);
  const shard = way.open();
  const source = (name: string) => {
    const path = join(dir, name);
    writeFileSync(path, name);
    utimesSync(path, 1_600_000_000, 1_600_000_000.25);
    const { mtimeNs, size } = statSync(path, { bigint: true });
    const validator = {
      mtimeSec: Number(mtimeNs / 1_000_000_000n),
      mtimeNsec: Number(mtimeNs % 1_000_000_000n),
      size: Number(size),
    };
    shard.put(path, bytes(name), { validator });
    return path;
  };
  const [kept, gone, edited, grown] = ['kept', 'gone', 'edited', 'grown'].map(source) as [
    string,
    string,
    string,
    string,
  ];
  shard.put('relative/key', bytes('x'), { validator: { mtimeSec: 1, mtimeNsec: 1 } });
  shard.put(join(dir, 'digested, gone'), bytes('x'), { validator: { digest: bytes('d') } });
  shard.put(join(dir, 'digested'), bytes('x'), { validator: { digest: bytes('d') } });
  shard.put(join(dir, 'plain'), bytes('x'));
  writeFileSync(join(dir, 'digested'), 'x');
  rmSync(gone);
  utimesSync(edited, 1_600_000_001, 1_600_000_001);
  const { atime, mtime } = statSync(grown);
  writeFileSync(grown, 'grown longer');
  utimesSync(grown, atime, mtime);
  t.is(await shard.evictStaleAsync(), 4);
  t.deepEqual(
    [...shard.keys()].sort(),
    [kept, 'relative/key', join(dir, 'digested'), join(dir, 'plain')].sort(),
  );
  t.is(shard.evictStale(), 0);
});
