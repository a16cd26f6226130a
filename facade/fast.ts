import { basename, dirname, join } from 'node:path';
import { addonPath, type NativeShard } from './native.js';

/** The answer that means: go through Node-API. See src-rs/binding/fast.rs. */
export const ORDINARY = -6;

/** Keys from looking ahead to one to looking it up; see src-rs/core/src/state/ahead.rs. */
export const AHEAD = 12;

/** Look-ups of one shard before it is worth loading the fast door. */
const LOOK_UPS = 512;

/** Functions that optimised code calls without Node-API in between; see src-cpp/fast.cc. */
interface FastCalls {
  get(key: string, shard: number): number;
  has(key: string, shard: number): number;
  /** Asks for memory that looking the key up will touch, once `AHEAD` more keys have been looked ahead to. */
  ahead(key: string, shard: number): number;
  /** The shard's copies go into this memory from now on, of which nobody has a view yet. */
  slab(shard: number, buffer: ArrayBuffer): void;
}

interface Door {
  /** Why the door stays shut; nothing where it may be used. */
  connect(addon: string): string | undefined;
  offer(target: object): void;
}

/** The calls; before `fastNumber` has given a number there are none. */
export const fast = {} as FastCalls;

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
    const name = basename(addon, '.node').replace(/^warmshard/, 'warmshard-fast');
    const door = require(join(dirname(addon), `${name}.${process.versions.modules}.node`)) as Door;
    const disagreement = door.connect(addon);
    if (disagreement !== undefined) return { reason: `this Node.js differs in ${disagreement}` };
    door.offer(fast);
    return {};
  } catch (error) {
    return { reason: (error as Error).message.split('\n', 1)[0] ?? 'not loaded' };
  }
}

/** Look-ups that a new shard does by Node-API before it asks for a number. */
export function patience(): number {
  return process.env.WARMSHARD_FAST === 'eager' ? 1 : LOOK_UPS;
}

/** What the fast door calls a shard; zero where there is no door. */
export function fastNumber(shard: NativeShard): number {
  state ??= openDoor();
  return state.reason === undefined ? shard.fastNumber() : 0;
}

/** Why look-ups of this process go through Node-API; `undefined` while that is not known, or where they need not. */
export function shutBecause(): string | undefined {
  return state?.reason;
}
