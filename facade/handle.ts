import { patience } from './fast.js';
import type { Memo } from './later/memo.js';
import type { MetaBlock, Validator } from './later/meta.js';
import type { Values } from './later/values.js';
import { later } from './later.js';
import { type FirstCalls, type HotCalls, type NativeOptions, type NativeShard, native } from './native.js';
import { DEFAULTS, mustCopy } from './options.js';
import { unwatch, type Watched, watch } from './watch.js';

/** The metadata block: its offset in the exchange block, in bytes, and how many numbers it begins with. See later/meta.ts. */
export const META_AT = 2048;
const META_NUMBERS = 6;
/** Word of the answer with the status of `first.get`, to be read as a signed number; see src-rs/binding/exchange.rs. */
export const STATUS = 98;

/** An open shard of the addon, with what all classes that use one need. */
export interface Handle {
  readonly path: string;
  readonly native: NativeShard;
  /** Its `get` is replaced while look-ups are watched, see later/memo.ts. */
  first: FirstCalls;
  /** Window number -> the memory. The addon knows which numbers are valid. */
  readonly windows: ArrayBuffer[];
  /** The answer of the last look-up: for each part window number or marker, offset, length. */
  readonly answer: Uint32Array;
  readonly partNames: readonly string[];
  readonly readOnly: boolean;
  /** How values become bytes and back; `undefined` if a value is the bytes of the one part. */
  readonly coding: Values<never> | undefined;
  /** Answers look-ups of one key in place of the addon; `undefined` if the addon's bytes are the value. */
  front: Front | undefined;
  /** Keeps answers of the fast door, once that is open. */
  memo: Memo | undefined;
  /** The number of the shard for the fast door; zero while the door is not used. */
  door: number;
  /** The same for look-ups of one key; also zero while these take another way. */
  direct: number;
  /** Look-ups left until the fast door is looked for. */
  patience: number;
  closed: boolean;
  watched: Watched | undefined;
  more: MoreCalls | undefined;
}

/** Answers `Shard.get`. */
interface Front {
  get(key: string, validator: Validator | undefined, handle: Handle): unknown;
}

/** The frequent calls besides `first`, and the metadata block that they read. */
interface MoreCalls extends HotCalls {
  /** The block's numbers. */
  numbers: Float64Array;
  /** The whole block, once it is needed. */
  meta: MetaBlock | undefined;
}

// Functions and a literal, not a class, so that the build can have V8 compile them with the bundle.

/** Opens a shard. */
export function openHandle(
  path: string,
  options: NativeOptions,
  copy: boolean | undefined,
  coding?: Values<never>,
): Handle {
  const first = {} as FirstCalls;
  // Reading nineteen properties that only state the defaults would take the addon as long as opening the file.
  const opened = native().open(path, options === DEFAULTS ? undefined : options, first);
  if (mustCopy(copy)) later().neverLend(opened);
  const handle: Handle = {
    path,
    native: opened,
    first,
    windows: [],
    answer: new Uint32Array(first.exchange, 0, META_AT / 4),
    partNames: options.parts,
    readOnly: options.readOnly,
    coding,
    front: coding,
    memo: undefined,
    door: 0,
    direct: 0,
    patience: patience(),
    closed: false,
    watched: undefined,
    more: undefined,
  };
  handle.watched = watch(handle);
  return handle;
}

/** The frequent calls besides `first`. The addon makes these functions when one is first needed. */
export function hot(handle: Handle): MoreCalls {
  return handle.more ?? attach(handle);
}

function attach(handle: Handle): MoreCalls {
  const numbers = new Float64Array(handle.first.exchange, META_AT, META_NUMBERS);
  const more = { numbers, meta: undefined } as MoreCalls;
  native().attach(handle.native, more);
  handle.more = more;
  return more;
}

/** Looks a key up through Node-API, and returns the status. */
export function firstGet(handle: Handle, key: string): number {
  handle.first.get(key);
  return (handle.answer[STATUS] as number) | 0;
}

/** Closes a shard. Closing it again does nothing. */
export function closeHandle(handle: Handle): void {
  handle.closed = true;
  handle.memo?.close();
  unwatch(handle.watched);
  native().close(handle.native);
  handle.windows.length = 0;
}
