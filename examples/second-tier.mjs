// A build whose work is shared by machines: what one has transpiled, the others get from an engine that all can reach.
//
// Here the machines are processes, each with a cache folder of its own, and the engine is a Keyv over a file; in life it
// is a Keyv over Redis, Postgres or whatever else has an adapter. The input is warmshard's own TypeScript.
//
//     node examples/second-tier.mjs

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transform, version } from 'esbuild';
import { Keyv } from 'keyv';
import { DiskPipelineCache, fingerprint } from 'warmshard';
import { KeyvPipelineCache, KeyvShard } from 'warmshard/keyv';

const FACADE = fileURLToPath(new URL('../facade', import.meta.url));

/** One machine's build. @param {string} name @param {string} dir */
async function build(name, dir) {
  const engine = new Keyv({ store: new KeyvShard(join(dir, 'engine.shard')) });
  const cache = new KeyvPipelineCache(engine, { local: new DiskPipelineCache(join(dir, name)) });
  const files = readdirSync(FACADE, { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.ts'),
  );
  let transpiled = 0;
  const output = createHash('sha256');
  for (const file of files.sort()) {
    const source = readFileSync(join(FACADE, file), 'utf8');
    const key = fingerprint('esbuild', version, file, source);
    let code = await cache.get(key);
    if (code === undefined) {
      code = Buffer.from((await transform(source, { loader: 'ts' })).code);
      cache.put(key, code);
      transpiled++;
    }
    output.update(code);
  }
  await cache.flush();
  const { remote, writes } = cache.metrics();
  const digest = output.digest('hex').slice(0, 8);
  console.log(
    `${name}: ${files.length} files, ${transpiled} transpiled, ${remote.found} from the engine, ${writes.stored} sent to it; output ${digest}`,
  );
  cache.close();
  await engine.disconnect();
}

const [name, dir] = process.argv.slice(2);
if (name !== undefined && dir !== undefined) await build(name, dir);
else {
  const fresh = mkdtempSync(join(tmpdir(), 'warmshard-second-tier-'));
  for (const machine of ['first machine', 'second machine', 'second machine'])
    spawnSync(process.execPath, [fileURLToPath(import.meta.url), machine, fresh], { stdio: 'inherit' });
  rmSync(fresh, { recursive: true });
}
