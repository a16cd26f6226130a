export default {
  files: ['__test__/**/*.test.ts'],
  extensions: { ts: 'module' },
  nodeArguments: ['--import=tsx'],
  // A shard is shared by processes, so each test file is one.
  workerThreads: false,
  timeout: '60s',
};
