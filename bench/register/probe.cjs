// Preloaded before a program. When the program ends, it writes the list of files that were required to PROBE_FILE.

const { writeFileSync } = require('node:fs');

process.on('exit', () => {
  const file = process.env.PROBE_FILE;
  if (file !== undefined) writeFileSync(file, Object.keys(require.cache).join('\n'));
});
