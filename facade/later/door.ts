import { type FastCalls, fast } from '../fast.js';
import type { Handle } from '../handle.js';
import { addonPath } from '../loader.js';
import { table } from '../native.js';
import { memoOf } from './memo.js';
import { objection, openShim } from './shim.js';

/** The names of the calls. A binary of another version of this package may lack some. */
const FAST_CALLS: readonly (keyof FastCalls)[] = ['get', 'has', 'ahead', 'hashed', 'slab'];

/** Why the door stays shut; no reason if it is open. `undefined` until the door is first needed. */
let state: { reason?: string } | undefined;

function openDoor(): { reason?: string } {
  const reason = objection();
  if (reason !== undefined) return { reason };
  try {
    const addon = addonPath() ?? '';
    const door = openShim(addon);
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

/** Looks for the fast door, for a shard with many look-ups. If there is none, the handle's number stays zero. */
export function knock(handle: Handle): void {
  state ??= openDoor();
  if (state.reason !== undefined) return;
  handle.door = table('shard').fastNumber(handle.native);
  if (handle.coding !== undefined) return;
  handle.direct = handle.door;
  if (handle.door !== 0) handle.memo = memoOf(handle);
}

/** Why look-ups in this process go through Node-API; `undefined` while that is not known, or if they need not. */
export function shutBecause(): string | undefined {
  return state?.reason;
}
