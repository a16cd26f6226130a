/** The command `doctor`: checks whether warmshard works on this machine. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addonPath, platformTriple } from '../facade/loader.js';
import type { Addon } from '../facade/native.js';
import { type LoadFacts, loadFacts, remedy, runtime, triedLines } from '../facade/seldom/load-failure.js';
import { type Attempt, load } from '../facade/seldom/search.js';
import { defaultPath } from '../register/default-path.js';
import { lookAtShard, type ShardFindings } from './shard.js';

type Warmshard = typeof import('../index.js');

/** What `warmshard doctor` found out. */
export interface Diagnosis {
  /** Whether everything works. */
  ok: boolean;
  runtime: string;
  platform: { triple: string; system: string; libc: string; node: string; abi: string };
  /** Of the package, and of the binary that it loads. */
  versions: { package: string; binary?: string };
  binary: { path?: string; tried: string[]; remedy?: string };
  fastDoor?: { open: boolean; reason?: string };
  /** Whether a shard in a temporary folder gives back what was put into it. */
  roundTrip?: { ok: boolean; mapped?: boolean; problem?: string };
  shard?: ShardFindings;
  /** What is wrong, in words; empty if nothing is. */
  problems: string[];
}

function libc(facts: LoadFacts): string {
  if (process.platform !== 'linux') return 'that of the system';
  if (facts.triple.endsWith('musl')) return 'musl';
  try {
    const report = process.report as { excludeNetwork?: boolean } & NodeJS.ProcessReport;
    // Otherwise Node.js looks up the name of every host that this process is connected to.
    report.excludeNetwork = true;
    const { header } = report.getReport() as unknown as { header: { glibcVersionRuntime?: string } };
    return header.glibcVersionRuntime ? `glibc ${header.glibcVersionRuntime}` : 'musl';
  } catch {
    return 'glibc of unknown version';
  }
}

/** Stores a value in a temporary folder and reads it. */
function roundTrip({ Shard }: Warmshard): Pick<Diagnosis, 'roundTrip' | 'fastDoor'> {
  const folder = mkdtempSync(join(tmpdir(), 'warmshard-doctor-'));
  const before = process.env.WARMSHARD_FAST;
  try {
    // Otherwise a shard looks for the fast door only after many look-ups.
    if (before !== '0') process.env.WARMSHARD_FAST = 'eager';
    const shard = Shard.open(join(folder, 'doctor.shard'));
    shard.put('key', new Uint8Array([1, 2, 3]));
    shard.flush();
    const ok = shard.get('key')?.join() === '1,2,3';
    const { mapped, door, doorShut } = shard.stats();
    shard.close();
    return {
      roundTrip: { ok, mapped, ...(!ok && { problem: 'a value that was stored could not be read' }) },
      fastDoor: { open: door === 'fast', ...(doorShut !== undefined && { reason: doorShut }) },
    };
  } catch (error) {
    return { roundTrip: { ok: false, problem: (error as Error).message } };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Checks everything, including the file `shard`. Without it, the one that `warmshard/register` uses is checked. */
export function diagnose(shard?: string): Diagnosis {
  const attempts: Attempt[] = [];
  const addon = load(attempts, (found: Partial<Addon>): found is Addon => found.functionsOf !== undefined);
  const triple = platformTriple();
  const facts = loadFacts(triple, attempts);
  const { version } = require('../package.json') as { version: string };
  const diagnosis: Diagnosis = {
    ok: false,
    runtime: runtime(),
    platform: {
      triple,
      system: `${process.platform} ${process.arch}`,
      libc: libc(facts),
      node: process.version,
      abi: process.versions.modules,
    },
    versions: { package: version },
    binary: { tried: triedLines(attempts) },
    problems: [],
  };
  const { problems, binary } = diagnosis;
  if (addon === undefined) {
    binary.remedy = remedy(facts);
    problems.push(binary.remedy);
    return diagnosis;
  }
  const path = addonPath();
  if (path !== undefined) binary.path = path;
  // A binary of another version may lack this function.
  const own = addon.functionsOf?.('shard')?.version();
  if (own !== undefined) diagnosis.versions.binary = own;
  if (own !== version)
    problems.push(
      `The binary is of version ${own ?? 'unknown'}, the package of ${version}: delete node_modules and install again.`,
    );
  const warmshard = require('./index.cjs') as Warmshard;
  Object.assign(diagnosis, roundTrip(warmshard));
  if (diagnosis.roundTrip?.ok !== true)
    problems.push(`A shard in ${tmpdir()} does not work: ${diagnosis.roundTrip?.problem}`);
  try {
    diagnosis.shard = lookAtShard(warmshard, shard ?? defaultPath());
    problems.push(...diagnosis.shard.problems);
  } catch (error) {
    // There is no place for the default one.
    problems.push((error as Error).message);
  }
  diagnosis.ok = problems.length === 0;
  return diagnosis;
}
