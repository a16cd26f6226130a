export default {
  // Real programs take minutes, and have to be fetched: npm run test:programs.
  files: ['__test__/**/*.test.ts', '!__test__/programs/**'],
  extensions: { ts: 'module' },
  nodeArguments: ['--import=tsx'],
  // A shard is shared by processes, so each test file is one.
  workerThreads: false,
  // For what hangs. A machine that does something else as well may take minutes for a test, and none of them is about that.
  timeout: '10m',
};
