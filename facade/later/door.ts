import { type FastCalls, fast } from '../fast.js';
import type { Handle } from '../handle.js';
import { addonPath } from '../loader.js';
import { table } from '../native.js';
import { memoOf } from './memo.js';

/** Their names. A binary of another version of this package may lack some. */
const FAST_CALLS: readonly (keyof FastCalls)[] = ['get', 'has', 'ahead', 'hashed', 'slab'];

interface Door {
  /** Why the door stays shut; nothing where it may be used. */
  connect(addon: string): string | undefined;
  offer(target: object): void;
}

/** Why the door stays shut; nothing where it is open. Unknown until somebody needs it. */
let state: { reason?: string } | undefined;

/** Builds of Node.js whose V8 lays its objects out in another way, under the same ABI's number. */
const OTHER_LAYOUTS = ['v8_enable_pointer_compression', 'v8_enable_sandbox'];

/** Why this process cannot use the door, before anything of it is loaded. */
function objection(): string | undefined {
  if (process.env.WARMSHARD_FAST === '0') return 'switched off by WARMSHARD_FAST=0';
  const { versions, release, config } = process;
  if (release?.name !== 'node' || versions.electron || versions.bun || versions.deno || versions.nw)
    return 'not for this runtime';
  const variables = (config?.variables ?? {}) as Record<string, unknown>;
  const other = OTHER_LAYOUTS.find((name) => Number(variables[name] ?? 0) !== 0);
  return other === undefined ? undefined : `not for a Node.js built with ${other}`;
}

function openDoor(): { reason?: string } {
  const reason = objection();
  if (reason !== undefined) return { reason };
  try {
    const addon = addonPath() ?? '';
    // warmshard.linux-x64-gnu.node -> warmshard-fast.linux-x64-gnu.115.node: one for each ABI of Node.js.
    const { basename, dirname, join } = require('node:path') as typeof import('node:path');
    const name = basename(addon, '.node').replace(/^warmshard/, 'warmshard-fast');
    const door = require(join(dirname(addon), `${name}.${process.versions.modules}.node`)) as Door;
    const disagreement = door.connect(addon);
    if (disagreement !== undefined) return { reason: `this Node.js differs in ${disagreement}` };
    const offered: Partial<FastCalls> = {};
    door.offer(offered);
    if (FAST_CALLS.some((name) => typeof offered[name] !== 'function'))
      return { reason: 'its binary is of another version of warmshard' };
    Object.assign(fast, offered);
    return {};
  } catch (error) {
    return { reason: (error as Error).message.split('\n', 1)[0] ?? 'not loaded' };
  }
}

/** Looks for the fast door, for a shard with many look-ups. Where there is none, its number stays zero. */
export function knock(handle: Handle): void {
  state ??= openDoor();
  if (state.reason !== undefined) return;
  handle.door = table('shard').fastNumber(handle.native);
  if (handle.coding !== undefined) return;
  handle.direct = handle.door;
  if (handle.door !== 0) handle.memo = memoOf(handle);
}

/** Why look-ups of this process go through Node-API; `undefined` while that is not known, or where they need not. */
export function shutBecause(): string | undefined {
  return state?.reason;
}
