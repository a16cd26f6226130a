import { basename, dirname, join } from 'node:path';
import { addonPath, type NativeShard } from './native.js';

/** The answer that means: go through Node-API. See src-rs/binding/fast.rs. */
export const ORDINARY = -6;

/** Look-ups of one shard before it is worth loading the fast door. */
const LOOK_UPS = 512;

/** Functions that optimised code calls without Node-API in between; see src-cpp/fast.cc. */
interface FastCalls {
  get(key: string, shard: number): number;
  has(key: string, shard: number): number;
}

interface Door {
  /** Why the door stays shut; nothing where it may be used. */
  connect(addon: string): string | undefined;
  offer(target: object): void;
}

/** The calls; before `fastNumber` has given a number there are none. */
export const fast = {} as FastCalls;

let state: 'unknown' | 'open' | string = 'unknown';

/** `'open'`, or why look-ups go through Node-API. */
export function fastDoor(): string {
  if (state === 'unknown') state = openDoor();
  return state;
}

function openDoor(): string {
  if (process.env.WARMSHARD_FAST === '0') return 'off: WARMSHARD_FAST=0';
  const { versions } = process;
  if (versions.electron || versions.bun || versions.deno) return 'off: another runtime';
  const addon = addonPath();
  if (addon === undefined) return 'off: no addon';
  // warmshard.linux-x64-gnu.node -> warmshard-fast.linux-x64-gnu.115.node: one for each ABI of Node.js.
  const name = basename(addon).replace(/^warmshard\./, `warmshard-fast.`);
  const path = join(dirname(addon), name.replace(/\.node$/, `.${versions.modules}.node`));
  try {
    const door = require(path) as Door;
    const reason = door.connect(addon);
    if (reason !== undefined) return `shut: ${reason}`;
    door.offer(fast);
    return 'open';
  } catch (error) {
    return `absent: ${(error as Error).message.split('\n', 1)[0]}`;
  }
}

/** Look-ups that a new shard does by Node-API before it asks for a number. */
export function patience(): number {
  return process.env.WARMSHARD_FAST === 'eager' ? 1 : LOOK_UPS;
}

/** What the fast door calls a shard; zero where there is no door. */
export function fastNumber(shard: NativeShard): number {
  return fastDoor() === 'open' ? shard.fastNumber() : 0;
}
