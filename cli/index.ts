// The `warmshard` command.

import { parseArgs } from 'node:util';
import { diagnose } from './doctor.js';
import { asText } from './report.js';

const USAGE = `Usage: warmshard doctor [--shard FILE] [--json]

Checks whether warmshard works here: which runtime this is, where the native binary was looked for and found,
whether the fast door (look-ups without Node-API) is open, and whether a shard can be kept. It changes nothing
but a temporary folder of its own.

  --shard FILE   check this shard; default: the one that warmshard/register uses
  --json         print the findings as JSON
  -h, --help     print this text

Exit codes: 0 everything works, 1 something does not, 2 the command line was not understood.`;

/** Runs a command line; gives the exit code. */
function main(args: string[]): number {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(args);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    return 2;
  }
  const { values, positionals } = parsed;
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const [command, ...others] = positionals;
  if (command !== 'doctor' || others.length > 0) {
    const wrong =
      command === undefined
        ? 'A command is missing'
        : command === 'doctor'
          ? `doctor takes no argument ${others.join(' ')}: name a shard by --shard FILE`
          : `There is no command ${command}`;
    console.error(`${wrong}.\n\n${USAGE}`);
    return 2;
  }
  const diagnosis = diagnose(values.shard);
  console.log(values.json ? JSON.stringify(diagnosis, null, 2) : asText(diagnosis));
  return diagnosis.ok ? 0 : 1;
}

function parse(args: string[]) {
  return parseArgs({
    args,
    allowPositionals: true,
    options: {
      shard: { type: 'string' },
      json: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
}

process.exitCode = main(process.argv.slice(2));
