import { patience } from './fast.js';
import type { Memo } from './later/memo.js';
import type { MetaBlock, Validator } from './later/meta.js';
import type { Values } from './later/values.js';
import { later } from './later.js';
import { type FirstCalls, type HotCalls, type NativeOptions, type NativeShard, native } from './native.js';
import { DEFAULTS, mustCopy } from './options.js';
import { unwatch, type Watched, watch } from './watch.js';

/** Where the metadata block lies in the exchange block, behind the answer, and how many numbers it begins with; see later/meta.ts. */
export const META_AT = 2048;
const META_NUMBERS = 6;
/** Word of the answer with what `first.get` came to, or-ed with zero; see src-rs/binding/exchange.rs. */
export const STATUS = 98;

/** An open shard as the addon knows it, with what every class over it needs. */
export interface Handle {
  readonly path: string;
  readonly native: NativeShard;
  /** Another `get` stands there while look-ups are watched, see later/memo.ts. */
  first: FirstCalls;
  /** Window number -> the memory. The addon knows which numbers are valid. */
  readonly windows: ArrayBuffer[];
  /** The answer of the last look-up: for each part window number or marker, offset, length. */
  readonly answer: Uint32Array;
  readonly partNames: readonly string[];
  readonly readOnly: boolean;
  /** How values become bytes and back, where they are not the bytes of the one part as they are. */
  readonly coding: Values<never> | undefined;
  /** What answers look-ups of one key; nothing where the addon does, and its bytes are the value. */
  front: Front | undefined;
  /** Where answers of the fast door are kept, once there is one. */
  memo: Memo | undefined;
  /** What the fast door calls the shard; zero while it is not used. */
  door: number;
  /** The same for a look-up of one key: zero also where something stands in front. */
  direct: number;
  /** Look-ups until somebody asks whether there is such a door. */
  patience: number;
  closed: boolean;
  watched: Watched | undefined;
  more: MoreCalls | undefined;
}

/** Answers `Shard.get`. */
interface Front {
  get(key: string, validator: Validator | undefined, handle: Handle): unknown;
}

/** What is called often, beside `first`, and the metadata block that those calls read. */
interface MoreCalls extends HotCalls {
  /** The block's numbers. */
  numbers: Float64Array;
  /** All of it, once that was needed. */
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
  // Nineteen properties that say nothing take the addon as long to read as the file does to open.
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

/** The calls beside `first`. The addon makes these functions at the first need. */
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

/** Looks a key up through Node-API, and gives the status. */
export function firstGet(handle: Handle, key: string): number {
  handle.first.get(key);
  return (handle.answer[STATUS] as number) | 0;
}

/** Ends the use of a shard; again: nothing. */
export function closeHandle(handle: Handle): void {
  handle.closed = true;
  handle.memo?.close();
  unwatch(handle.watched);
  native().close(handle.native);
  handle.windows.length = 0;
}
