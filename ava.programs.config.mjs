import common from './ava.config.mjs';

export default {
  ...common,
  files: ['__test__/programs/**/*.test.ts'],
  // A program is run some twenty times, and one at a time.
  concurrency: 1,
  timeout: '15m',
};
