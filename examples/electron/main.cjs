// The main process and a utility process share one shard; the only message between them says that the entry is there.
const { app, utilityProcess } = require('electron');
const { join } = require('node:path');
const { open } = require('./shards.cjs');

app.whenReady().then(() => {
  const resources = app.isPackaged ? process.resourcesPath : join(__dirname, 'resources');
  const { shipped, own } = open(resources, app.getPath('userData'));
  console.log('shipped:', Buffer.from(shipped.get('greeting') ?? []).toString() || 'missing');
  const child = utilityProcess.fork(join(__dirname, 'child.cjs'), [resources, app.getPath('userData')]);
  child.once('message', () => {
    const value = own.get('from the utility process');
    console.log('shared:', value?.length === 1000 ? 'ok' : 'missing', own.stats());
    app.exit(value?.length === 1000 && shipped.get('greeting') ? 0 : 1);
  });
  child.once('exit', (code) => code && app.exit(code));
});
