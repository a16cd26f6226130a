// The `warmshard` command.

import { parseArgs } from 'node:util';
import { defaultPath } from '../register/default-path.js';
import { type Answer, contents } from './contents.js';
import { diagnose } from './doctor.js';
import { asText } from './report.js';

const USAGE = `Usage: warmshard doctor [--shard FILE] [--json]
       warmshard stats | list | verify [FILE] [--json]

  doctor   checks whether warmshard works here: which runtime this is, where the native binary was looked for and
           found, whether the fast door (look-ups without Node-API) is open, and whether a shard can be kept
  stats    what a file holds: entries, bytes, why it reads as empty
  list     its entries, newest first: kB, host, when they were cached (local time), key
  verify   reads and verifies everything in it

FILE can belong to any store. Nothing is changed; doctor writes only to a temporary folder.

  --shard FILE   the same as FILE; default: the one that warmshard/register uses
  --json         print the findings as JSON
  --version      print the package's version
  -h, --help     print this text

Exit codes: 0 everything works, 1 something does not, 2 the command line was not understood.`;

const CONTENTS = ['stats', 'list', 'verify'] as const;

/** Runs a command line; returns the exit code. */
function main(args: string[]): number {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(args);
  } catch (error) {
    return misunderstood((error as Error).message);
  }
  const { values, positionals } = parsed;
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  if (values.version) {
    console.log((require('../package.json') as { version: string }).version);
    return 0;
  }
  const [command, ...others] = positionals;
  if (command === undefined) return misunderstood('A command is missing');
  const content = CONTENTS.find((name) => name === command);
  if (content === undefined && command !== 'doctor') return misunderstood(`There is no command ${command}`);
  const [file = values.shard, ...more] = others;
  if (content === undefined && others.length > 0)
    return misunderstood(`doctor takes no argument ${others.join(' ')}: name a shard by --shard FILE`);
  if (more.length > 0) return misunderstood(`${command} takes one file, not ${others.join(' ')}`);
  const { json, text, ok, refused } = content === undefined ? diagnosed(file) : lookedInto(content, file);
  if (values.json) console.log(JSON.stringify(json, null, 2));
  else console[refused ? 'error' : 'log'](text);
  return ok ? 0 : 1;
}

function diagnosed(shard?: string): Answer {
  const diagnosis = diagnose(shard);
  return { json: diagnosis, text: asText(diagnosis), ok: diagnosis.ok };
}

function lookedInto(content: (typeof CONTENTS)[number], file?: string): Answer {
  try {
    const warmshard = require('./index.cjs') as typeof import('../index.js');
    return contents(warmshard, content, file ?? defaultPath());
  } catch (error) {
    const { code, message } = error as Error & { code?: string };
    return { json: { error: { code, message } }, text: message, ok: false, refused: true };
  }
}

function misunderstood(wrong: string): number {
  console.error(`${wrong}.\n\n${USAGE}`);
  return 2;
}

function parse(args: string[]) {
  return parseArgs({
    args,
    allowPositionals: true,
    options: {
      shard: { type: 'string' },
      json: { type: 'boolean' },
      version: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
}

// `warmshard list | head` closes the pipe early. That is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});
process.exitCode = main(process.argv.slice(2));
