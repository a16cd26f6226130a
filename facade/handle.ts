import { WarmshardError } from './errors.js';
import type { Memo } from './later/memo.js';
import { viewPart } from './lending.js';
import { MetaBlock } from './meta.js';
import {
  type FirstCalls,
  type HotCalls,
  type NativeCursor,
  type NativeOptions,
  type NativeShard,
  native,
  table,
} from './native.js';
import { DEFAULTS, mustCopy } from './options.js';
import { unwatch, type Watched, watch } from './watch.js';

/** Words of the answer, at the exchange block's start; see src-rs/binding/exchange.rs. */
const ANSWER_WORDS = 512;
/** Where the metadata block lies in it. */
const META_AT = 2048;
/** Keys that a walk fetches at a time. */
const CURSOR_KEYS = 1024;

/** An open shard as the addon knows it, with what every class over it needs. Made by `openHandle`. */
export class Handle {
  declare readonly path: string;
  declare readonly native: NativeShard;
  declare readonly first: FirstCalls;
  /** Window number -> the memory. The addon knows which numbers are valid. */
  declare readonly windows: ArrayBuffer[];
  /** The answer of the last look-up: for each part window number or marker, offset, length. */
  declare readonly answer: Uint32Array;
  declare readonly partNames: readonly string[];
  declare readonly readOnly: boolean;
  /** What the fast door calls the shard; zero while it is not used. */
  declare door: number;
  declare closed: boolean;
  /** Where answers of the fast door are kept, once there is one. */
  declare memo: Memo | undefined;
  declare watched: Watched | undefined;
  declare private calls: HotCalls | undefined;
  declare private block: MetaBlock | undefined;

  private attach(): HotCalls {
    const calls = {} as HotCalls;
    native().attach(this.native, calls);
    this.calls = calls;
    return calls;
  }

  /** What is called often, beside `first`. The addon makes these functions at the first need. */
  get hot(): HotCalls {
    return this.calls ?? this.attach();
  }

  /** The metadata block of the hot calls. */
  get meta(): MetaBlock {
    this.block ??= new MetaBlock(this.first.exchange, META_AT);
    return this.block;
  }

  /** The parts that an answer of `count` parts tells of: all or none. */
  parts(count: number): Record<string, Uint8Array> | undefined {
    const names = this.partNames;
    if (count !== names.length) return undefined;
    const parts: Record<string, Uint8Array> = {};
    for (let i = 0; i < count; i++) {
      const part = viewPart(this, i);
      if (part === undefined) return undefined;
      parts[names[i] as string] = part;
    }
    return parts;
  }

  /** The keys of this producer's entries as of this call, oldest first. */
  keys(): IterableIterator<string> {
    return walk(table('shard').cursor(this.native));
  }

  /** `result`, of a change that changes nothing, where changes are allowed. */
  requireWritable<T>(result: T): T {
    // Throws where the shard is closed.
    table('shard').size(this.native);
    if (this.readOnly)
      throw new WarmshardError(
        'ERR_READ_ONLY',
        `${this.path} was opened with readOnly; open it without to change it`,
        undefined,
        undefined,
        this.path,
      );
    return result;
  }

  /** The published generation in two halves, where all processes see it: only to be read. */
  page(): Int32Array | undefined {
    return table('shard').page(this.native) ?? undefined;
  }

  /** Ends the use of the shard; again: nothing. */
  close(): void {
    this.closed = true;
    this.memo?.close();
    if (this.watched !== undefined) unwatch(this.watched);
    native().close(this.native);
    this.windows.length = 0;
  }
}

/** Opens one. A function, not a constructor, so that the build can have V8 compile it with the bundle. */
export function openHandle(path: string, options: NativeOptions, copy: boolean | undefined): Handle {
  const first = {} as FirstCalls;
  // Nineteen properties that say nothing take the addon as long to read as the file does to open.
  const opened = native().open(path, options === DEFAULTS ? undefined : options, first);
  if (mustCopy(copy)) table('shard').neverLend(opened);
  const handle = {
    __proto__: Handle.prototype,
    path,
    native: opened,
    first,
    windows: [],
    answer: new Uint32Array(first.exchange, 0, ANSWER_WORDS),
    partNames: options.parts,
    readOnly: options.readOnly,
    door: 0,
    closed: false,
    memo: undefined,
    watched: undefined,
    calls: undefined,
    block: undefined,
  } as unknown as Handle;
  handle.watched = watch(handle);
  return handle;
}

function* walk(cursor: NativeCursor): IterableIterator<string> {
  const { nextKeys } = table('shard');
  for (let keys = nextKeys(cursor, CURSOR_KEYS); keys.length > 0; keys = nextKeys(cursor, CURSOR_KEYS))
    yield* keys;
}
