// The `warmshard` command: so far it only says how things stand.

import { parseArgs } from 'node:util';
import { diagnose } from './doctor.js';
import { asText } from './report.js';

const USAGE = `Usage: warmshard doctor [--shard FILE] [--json]

Says whether warmshard works here: the runtime, where its native binary was sought and found, whether the fast
door is open, and whether a shard can be kept. Changes nothing but a temporary folder.

  --shard FILE   look at this shard, too, instead of the default one of warmshard/register
  --json         the same for programs

Ends with 0 where everything works, 1 where something does not, 2 where it does not understand you.`;

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
  if (positionals.length !== 1 || positionals[0] !== 'doctor') {
    console.error(USAGE);
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
