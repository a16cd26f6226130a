import common from './ava.config.mjs';

export default {
  ...common,
  files: ['__test__/programs/**/*.test.ts'],
  // Each program is run about twenty times, one program at a time.
  concurrency: 1,
  timeout: '15m',
};
