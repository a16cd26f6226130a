// Where the two shards are, and what both sides of the app do with them.
const { join } = require('node:path');

/** The same for who ships the shard and who reads it: `process.execPath` is Electron in one case only. */
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
