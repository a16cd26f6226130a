export default {
  // Tests of real programs take minutes and have to fetch them: npm run test:programs.
  files: ['__test__/**/*.test.ts', '!__test__/programs/**'],
  extensions: { ts: 'module' },
  nodeArguments: ['--import=tsx'],
  // Shards are shared by processes, so each test file runs in a process of its own.
  workerThreads: false,
  // Only for tests that hang: on a busy machine a test may take minutes.
  timeout: '10m',
};
