import { fast, ORDINARY } from '../fast.js';
import type { Handle } from '../handle.js';
import { viewFirst } from '../lending.js';

/** Answers that one shard keeps at the most: 150 bytes each, on V8's heap. */
const MOST = 131_072;
/** Look-ups between two looks at whether keeping answers pays. */
const TURNS = 64;
/** Hits until the core is told of them, and looks at the clock; as many as it does so after by itself. */
const PERIOD = 1024;
/** What one look found weighs so much less at the next: of eight, half must speak against this before it ends. */
const FADING = 7 / 8;
const HALF = 4;
/** What keeping an answer costs, in hits that it must give; and beginning anew. */
const COST = 4;
/** Answers that may be kept in vain, beside twice as many as are kept. */
const TRIAL = 2048;
/** After a loss so many offers more are refused, each time more of them. */
const LONGEST_WAIT = 1024;

// What an answer belongs to, in the exchange block; see src-rs/binding/exchange.rs.
const LOW = 97;
const HIGH = 98;
const ERA = 99;
/** No era is this one. */
const NEVER = 0;
const NOTHING: Int32Array = new Int32Array(4);

/**
 * Answers of `get` that are given again while they hold, in front of the fast door: a Map finds a string that was used
 * before by what V8 knows of it, where the core reads and hashes its bytes.
 *
 * An answer holds as long as the generation on the sidecar's page and the handle's era are what they were when it was
 * given. Both are looked at before each, in memory that this module reads and never writes (a write to the
 * page would end the process). Only answers of the core's quick way are kept: of verified entries with one part, no
 * validator and no expiry, in windows that are lent.
 *
 * It pays only where the very same strings come again. The core says when they do (`begin`), this class when they no
 * longer do. While it is off, nobody asks it.
 */
export class Memo {
  private values = new Map<string, Uint8Array>();
  private page: Int32Array = NOTHING;
  private era: Int32Array = NOTHING;
  private low = 0;
  private high = 0;
  private at = NEVER;
  private sidecars = -1;
  private on = false;
  /** Look-ups until the next look at itself. */
  private left = TURNS;
  /** Of those since the last look: for how many nothing was kept, and for how many of these something was then. */
  private missed = 0;
  private kept = 0;
  /** Hits that the core has not been told of, and those since the last look that it was told of. */
  private hits = 0;
  private told = 0;
  private lost = 0;
  private lacking = 0;
  private strange = 0;
  /** Offers to be refused. */
  private waits = 0;
  private wait = 1;
  private idle = false;

  constructor(
    private readonly handle: Handle,
    /** Told this memo when it is to be asked first, and `undefined` when no longer. */
    private readonly switched: (memo: Memo | undefined) => void,
  ) {
    // So that tests need not look up as often as it takes.
    if (process.env.WARMSHARD_FAST === 'eager') this.begin();
  }

  /** The answer for a key. Small, so that V8 makes it a part of `Shard.get`, and of the loop around that. */
  get(key: string): Uint8Array | undefined {
    const { page } = this;
    const left = this.left - 1;
    this.left = left;
    if (left !== 0 && page[0] === this.low && page[1] === this.high && this.era[0] === this.at) {
      const value = this.values.get(key);
      // Somebody may have taken the memory away.
      if (value !== undefined && value.length !== 0) return value;
    }
    return this.ask(key);
  }

  /**
   * All that is rare, in one function that is too large for V8 to make it a part of its callers: a loop of look-ups
   * would have no room left for what is common.
   */
  private ask(key: string): Uint8Array | undefined {
    const { handle } = this;
    const { answer } = handle;
    this.missed++;
    const looks = this.left === 0;
    if (looks) {
      const missed = this.missed;
      const hits = TURNS - missed;
      this.lost = Math.max(0, this.lost + this.kept * COST - hits);
      this.lacking = this.lacking * FADING + missed - this.kept;
      this.hits += hits - this.told;
      this.left = TURNS;
      this.missed = this.kept = this.told = 0;
      if (this.lost === 0) this.wait = 1;
      if (this.hits >= PERIOD) this.count();
      if (this.lost > (TRIAL + this.values.size * 2) * COST) {
        this.wait = Math.min(LONGEST_WAIT, this.wait * 4);
        this.waits = this.wait;
        this.lost = 0;
        this.end();
        this.drop();
      } else if (this.lacking > TURNS * HALF || this.strange > HALF) this.end();
    }
    const { page } = this;
    if (page[0] !== this.low || page[1] !== this.high || this.era[0] !== this.at) this.forget();
    if (looks && this.on) {
      const known = fast.hashed(key, handle.door);
      const value = this.values.get(key);
      if (value !== undefined && value.length !== 0) {
        this.strange = this.strange * FADING + 1 - known;
        this.hits++;
        return value;
      }
    }
    answer[ERA] = NEVER;
    let status = fast.learn(key, handle.door);
    if (status === ORDINARY) status = handle.first.get(key);
    const { at } = this;
    const holds =
      at !== NEVER &&
      answer[ERA] === at >>> 0 &&
      answer[LOW] === this.low >>> 0 &&
      answer[HIGH] === this.high >>> 0;
    const value = viewFirst(handle, status);
    if (holds && this.on && value !== undefined && value.length !== 0 && this.values.size < MOST) {
      this.kept++;
      this.values.set(key, value);
    }
    return value;
  }

  /** Nothing that was kept holds any longer. What comes now is of the generation and the era as they are. */
  private forget(): void {
    const { era } = this;
    this.drop();
    this.lost += COST;
    if (era[2] !== this.sidecars) {
      this.sidecars = era[2] as number;
      this.page = this.handle.native.page() ?? NOTHING;
    }
    if (this.page === NOTHING) {
      this.end();
      return;
    }
    this.at = era[0] as number;
    this.low = this.page[0] as number;
    this.high = this.page[1] as number;
  }

  private drop(): void {
    this.at = NEVER;
    if (this.values.size > 0) this.values = new Map();
  }

  /** Tells the core of the hits so far; it looks at the clock then. */
  count(): void {
    const since = this.on ? TURNS - this.left - this.missed : 0;
    const hits = this.hits + since - this.told;
    this.hits = 0;
    this.told = since;
    if (hits > 0) this.handle.hot.countKept(hits);
  }

  /** The core offers that answers be kept from now on. */
  begin(): void {
    if (this.on || this.handle.closed || this.waits-- > 0) return;
    if (this.era === NOTHING) this.era = this.handle.native.era() ?? NOTHING;
    if (this.era === NOTHING || process.env.WARMSHARD_MEMO === '0') {
      this.waits = Number.POSITIVE_INFINITY;
      return;
    }
    this.waits = 0;
    this.left = TURNS;
    this.missed = this.kept = this.told = this.lacking = this.strange = 0;
    this.on = true;
    this.idle = false;
    this.switched(this);
  }

  /** Nobody asks from now on. What was kept may hold when it begins again. */
  private end(): void {
    if (!this.on) return;
    this.count();
    this.on = false;
    this.switched(undefined);
  }

  /** Now and then: what no longer holds, or nobody asks for, takes no memory. */
  tidy(): void {
    if (this.values.size === 0) return;
    const { page } = this;
    if (page[0] !== this.low || page[1] !== this.high || this.era[0] !== this.at || this.idle) this.drop();
    this.idle = !this.on;
  }

  close(): void {
    this.end();
    this.drop();
  }
}
