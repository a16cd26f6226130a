import { WarmshardError } from './errors.js';
import { Lending } from './lending.js';
import { MetaBlock } from './meta.js';
import { type HotCalls, type NativeOptions, type NativeShard, native } from './native.js';
import { mustCopy } from './options.js';
import { unwatch, watch } from './watch.js';

/** Where the metadata block lies in the exchange block; see src-rs/binding/exchange.rs. */
const META_AT = 2048;
/** Keys that a walk fetches at a time. */
const CURSOR_KEYS = 1024;

/** An open shard as the addon knows it, with what every class over it needs. */
export class Handle {
  readonly native: NativeShard;
  readonly hot: HotCalls;
  readonly lending: Lending;
  /** The metadata block of the hot calls. */
  readonly meta: MetaBlock;
  readonly partNames: readonly string[];
  readonly readOnly: boolean;
  closed = false;

  constructor(
    readonly path: string,
    options: NativeOptions,
    copy: boolean | undefined,
  ) {
    const hot = {} as HotCalls;
    this.native = native().NativeShard.open(path, options, hot);
    this.hot = hot;
    if (mustCopy(copy)) this.native.neverLend();
    this.lending = new Lending(hot, this.native);
    this.meta = new MetaBlock(hot.exchange, META_AT);
    this.partNames = options.parts;
    this.readOnly = options.readOnly;
    watch(this, this.native);
  }

  /** The parts that an answer of `count` parts tells of: all or none. */
  parts(count: number): Record<string, Uint8Array> | undefined {
    const names = this.partNames;
    if (count !== names.length) return undefined;
    const parts: Record<string, Uint8Array> = {};
    for (let i = 0; i < count; i++) {
      const part = this.lending.part(i);
      if (part === undefined) return undefined;
      parts[names[i] as string] = part;
    }
    return parts;
  }

  /** The keys of this producer's entries as of this call, oldest first. */
  keys(): IterableIterator<string> {
    return walk(this.native.cursor());
  }

  /** `result`, of a change that changes nothing, where changes are allowed. */
  requireWritable<T>(result: T): T {
    // Throws where the shard is closed.
    this.native.size();
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

  /** Ends the use of the shard; again: nothing. */
  close(): void {
    this.closed = true;
    unwatch(this);
    this.native.close();
    this.lending.windows.length = 0;
  }
}

function* walk(cursor: ReturnType<NativeShard['cursor']>): IterableIterator<string> {
  for (let keys = cursor.nextKeys(CURSOR_KEYS); keys.length > 0; keys = cursor.nextKeys(CURSOR_KEYS))
    yield* keys;
}
