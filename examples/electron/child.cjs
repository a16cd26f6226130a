const { open } = require('./shards.cjs');

const { own } = open(process.argv[2], process.argv[3]);
own.put('from the utility process', new Uint8Array(1000).fill(1));
process.parentPort.postMessage('put');
