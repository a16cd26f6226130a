// Where the two shards are, and how both processes of the app open them.
const { join } = require('node:path');

/** The same for the process that fills the shard and those that read it: only in the latter `process.execPath` is Electron. */
const HOST = { name: 'electron-example', version: '1.0.0', binary: false };

/** @param {string} resources @param {string} userData */
function open(resources, userData) {
  const { Shard } = require('warmshard');
  return {
    shipped: Shard.open(join(resources, 'shipped.shard'), { host: HOST, readOnly: true, trust: 'system' }),
    own: Shard.open(join(userData, 'cache.shard'), { host: HOST }),
  };
}

module.exports = { HOST, open };
