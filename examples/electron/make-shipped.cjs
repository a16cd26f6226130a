// Run before packaging: what every user would compile at the first start is compiled once and shipped.
const { mkdirSync, rmSync } = require('node:fs');
const { join } = require('node:path');
const { Shard } = require('warmshard');
const { HOST } = require('./shards.cjs');

const folder = join(__dirname, 'resources');
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder);
const shard = Shard.open(join(folder, 'shipped.shard'), { host: HOST });
shard.put('greeting', Buffer.from('compiled before it was shipped'));
shard.flush();
shard.close();
// Without its sidecar the shard counts as constant: no process looks for changes.
rmSync(join(folder, 'shipped.shard.lock'), { force: true });
