// Node.js' own timers, as they were when this was loaded; see ../watch.ts.
export const { setInterval, clearInterval } = require('node:timers') as typeof import('node:timers');
