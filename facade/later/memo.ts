import { fast, ORDINARY } from '../fast.js';
import type { Handle } from '../handle.js';
import { MORE_COPIES, viewFirst } from '../lending.js';
import { table } from '../native.js';

/** Answers that one shard keeps at the most: about 150 bytes each, and the key. */
const MOST = 131_072;
/** Keys that are longer are not kept. */
const LONGEST_KEY = 256;
/** Look-ups between two looks at whether this pays. */
const TURNS = 256;
/** What one look found counts so much less at the next: it ends when half of the look-ups speak against it. */
const FADING = 7 / 8;
const DOUBT = (TURNS / 2) * 8;
/** A string that nobody has used before takes V8 longer to hash than the core to look up. */
const STRANGE = TURNS * 2;
/** What it begins with: nothing can be kept as long as V8 has not optimised `ask`. */
const GRACE = DOUBT * 8;
/** Hits that it takes to pay for keeping an answer. */
const COST = 2;
/** Offers that are refused for each loss, at the most, and for each so many answers that were kept in vain. */
const LONGEST_WAIT = 63;
const KEPT_IN_VAIN = 16;

/** The era in the exchange block; see src-rs/binding/exchange.rs. */
const ERA = 97;

const EAGER = process.env.WARMSHARD_FAST === 'eager';
const OFF = process.env.WARMSHARD_MEMO === '0';

/**
 * Answers of `get` that are given again while nothing changes, in front of the fast door: a Map finds a string that was
 * looked up before by what V8 knows of it, where the core reads and hashes its bytes.
 *
 * They hold while the generation on the sidecar's page and the handle's era are what they were when this began. Both are
 * looked at before each answer, in memory that is never written to from here. Any change ends it, and what was kept
 * is dropped. Only answers of the core's quick way in windows are kept: verified, of one part, without validator or expiry.
 *
 * It pays only where the very same strings come again. The core says when they do (`begin`); this notices when they no
 * longer do, and ends. While it is off, nobody asks it.
 */
export class Memo {
  private readonly answer: Uint32Array;
  private values = new Map<string, Uint8Array>();
  private page: Int32Array = new Int32Array(2);
  private low = 0;
  private high = 0;
  /** No era is like this one. */
  private era = -1;
  private on = false;
  /** Look-ups until the next look at itself, and what that was at the last count. */
  private left = TURNS;
  private since = TURNS;
  /** Look-ups since the last count that found nothing here, and those since the last look of which nothing was kept either. */
  private missed = 0;
  private vain = 0;
  private doubt = 0;
  /** Answers kept, and answers given, since it began. */
  private kept = 0;
  private given = 0;
  private wait = 0;
  private refusals = 0;
  private idle = false;

  constructor(
    private readonly handle: Handle,
    /** Told this memo when it is to be asked first, and `undefined` when no longer. */
    private readonly switched: (memo: Memo | undefined) => void,
  ) {
    this.answer = handle.answer;
    // So that tests need not look up as often as it takes.
    if (EAGER) this.begin();
  }

  /** The answer for a key. Small, so that V8 makes it a part of `Shard.get`, and of the loop around that. */
  get(key: string): Uint8Array | undefined {
    const { page } = this;
    const left = this.left - 1;
    this.left = left;
    if (left !== 0 && this.answer[ERA] === this.era && page[0] === this.low && page[1] === this.high) {
      const value = this.values.get(key);
      // Somebody may have taken the memory away.
      if (value !== undefined && value.length !== 0) return value;
    }
    return this.ask(key);
  }

  /** All that is rare, in one function that is too large for V8 to make it a part of its callers' loop. */
  private ask(key: string): Uint8Array | undefined {
    const { handle } = this;
    this.missed++;
    if (this.left === 0) this.reconsider(key);
    let status = fast.get(key, handle.door);
    const keepable = status > MORE_COPIES && key.length <= LONGEST_KEY;
    if (status === ORDINARY) status = handle.first.get(key);
    const value = viewFirst(handle, status);
    if (!this.holds()) this.end();
    else if (this.on && keepable && value !== undefined && value.length !== 0 && this.values.size < MOST) {
      this.kept++;
      this.values.set(key, value);
    } else this.vain++;
    return value;
  }

  private holds(): boolean {
    const { page } = this;
    return this.answer[ERA] === this.era && page[0] === this.low && page[1] === this.high;
  }

  private reconsider(key: string): void {
    const strange = fast.hashed(key, this.handle.door) === 0;
    this.doubt = this.doubt * FADING + (strange ? STRANGE : this.vain);
    this.count();
    this.left = this.since = TURNS;
    this.vain = 0;
    this.idle = false;
    if (this.doubt > DOUBT) this.end();
  }

  /** Tells the core of the hits so far; it looks at the clock then. */
  count(): void {
    const hits = this.since - this.left - this.missed;
    this.since = this.left;
    this.missed = 0;
    this.given += hits;
    if (hits > 0) this.handle.hot.countKept(hits);
  }

  /** The core offers that answers be kept from now on. What was kept before still is, if it holds. */
  begin(): void {
    if (this.on || OFF || this.handle.closed || this.refusals-- > 0) return;
    const era = this.answer[ERA] as number;
    const page = era === this.era ? this.page : table('shard').page(this.handle.native);
    if (page === undefined) return;
    if (!this.holds()) this.values = new Map();
    this.page = page;
    this.era = era;
    this.low = page[0] as number;
    this.high = page[1] as number;
    this.left = this.since = TURNS;
    this.missed = this.vain = this.kept = this.given = 0;
    this.doubt = -GRACE;
    this.idle = false;
    this.on = true;
    this.switched(this);
  }

  private end(): void {
    if (!this.on) return;
    this.count();
    this.on = false;
    this.switched(undefined);
    if (this.given < this.kept * COST) {
      this.wait = Math.min(LONGEST_WAIT, this.wait * 2 + 1);
      this.refusals = this.wait + this.kept / KEPT_IN_VAIN;
    } else this.wait = this.refusals = 0;
    if (!this.holds()) this.values = new Map();
    if (EAGER) this.begin();
  }

  /** Now and then: what nobody asks for takes no memory. */
  tidy(): void {
    if (this.idle) this.close();
    this.idle = true;
  }

  /** Drops everything. */
  close(): void {
    this.end();
    this.values = new Map();
  }
}
