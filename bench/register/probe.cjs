// Loaded before a program: tells, when it ends, which files it required.

const { writeFileSync } = require('node:fs');

process.on('exit', () => {
  const file = process.env.PROBE_FILE;
  if (file !== undefined) writeFileSync(file, Object.keys(require.cache).join('\n'));
});
