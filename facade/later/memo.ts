import { fast, ORDINARY } from '../fast.js';
import { firstGet, type Handle, hot, STATUS } from '../handle.js';
import { viewFirst } from '../lending.js';
import { type FirstCalls, type SeldomCalls, table } from '../native.js';
import { writeValidator } from '../validator.js';
import type { Validator } from './meta.js';
import { Sample } from './sample.js';
import { clearInterval, setInterval } from './timers.js';
import { MORE_COPIES } from './views.js';

/** Answers that one shard keeps at the most: some 150 bytes each, and the key. */
export const MOST = 32_768;
/** Those of all shards of a thread. */
export const MOST_OF_ALL = 4 * MOST;
/** How often it is looked whether anybody still asks for them, in milliseconds. */
const TIDY_MS = 1000;
/** So many at a time are granted. */
const STEP = 1024;
/** Keys that are longer are not kept. */
const LONGEST_KEY = 256;

/** Look-ups between two looks at whether this pays. */
export const TURN = 256;
/**
 * It pays where of a turn's look-ups a quarter is answered here. That is asked when so many turns have passed, and as many look-ups
 * as it took until strings came again.
 */
const FEW = TURN / 4;
const LEARNING = 32;
/**
 * As many as that once no more may be kept: so large a Map is in no cache of the processor, and whoever looks in vain waits for
 * memory twice.
 */
const FEW_OF_MANY = (TURN * 3) / 4;
/** Points for a turn in which they were fewer, or whose last string nobody had hashed yet. One goes with every other; so many end it. */
const POINTS = 2;
const TOO_MANY_POINTS = 8;

/** Ticks until a sample is watched, but for the first. After one that was in vain they are eight times as many, up to the longest. */
const PATIENCE = 64;
const LONGEST_PATIENCE = 65_536;
/** Hits that pay for keeping an answer, and for having begun at all. */
const COST = 2;
const COST_OF_ALL = LEARNING * TURN;

/** Word of the era in the answer; see src-rs/binding/exchange.rs. */
export const ERA = 97;

/** Those of this thread, held weakly, as the handles are. */
const memos = new Set<WeakRef<Memo>>();
/** Has them tidied while they keep anything. It does not keep the process alive. */
let timer: NodeJS.Timeout | undefined;

/** Those that are still in use. */
function living(): Memo[] {
  const found: Memo[] = [];
  for (const ref of memos) {
    const memo = ref.deref();
    if (memo === undefined) memos.delete(ref);
    else found.push(memo);
  }
  return found;
}

function tidyAll(): void {
  let left = 0;
  for (const memo of living()) left += memo.tidy();
  if (left > 0) return;
  clearInterval(timer);
  timer = undefined;
}

/** Whether V8 knows the string's hash: it was looked up in a Map before. */
function isHashed(key: string, handle: Handle): boolean {
  return fast.hashed(key, handle.door) !== 0;
}

/** Whether what the door answered may be kept. */
function isKeepable(status: number, key: string): boolean {
  return status > MORE_COPIES && key.length <= LONGEST_KEY;
}

/** How many answers the shards of this thread may still keep beside those that they may keep already. */
function room(): number {
  let left = MOST_OF_ALL;
  for (const memo of living()) left -= memo.most;
  return left;
}

/**
 * Answers of `get` that are given again while nothing changes, in front of the fast door: a Map finds a string that was
 * looked up before by the hash that stands in it, where the core reads and hashes its bytes.
 *
 * They hold while the generation on the sidecar's page and the handle's era are what they were when this began. Both are
 * looked at before each answer, in memory that is never written to from here. Any change ends it, and what was kept
 * is dropped. Only answers of the core's quick way in windows are kept: verified, of one part, without validator or expiry.
 *
 * It pays only where a few strings come again as the very same objects. So a sample of them is watched before anything is kept, ever
 * more seldom where that is in vain. While it is off, nobody asks it.
 */
export class Memo {
  /** How many may be kept here by now. */
  most = 0;
  private values = new Map<string, Uint8Array>();
  private readonly answer: Uint32Array;
  private page: Int32Array | undefined;
  private number = 0;
  private low = 0;
  private high = 0;
  private era = 0;
  private on = false;
  // Of this turn: look-ups left, those that were not answered here, and hits that the core was told of.
  private left = TURN;
  private missed = 0;
  private told = 0;
  // Since it began: turns, hits, answers kept, and points against it.
  private turns = 0;
  private hits = 0;
  private kept = 0;
  private points = 0;
  private learning = LEARNING;
  // While it is off: ticks until something happens, what those are after a failure, and whether it paid when it was on.
  private wait = 1;
  private patience = PATIENCE / 8;
  private paid = false;
  private idle = false;
  /** The handle's own, while look-ups are watched. */
  private first: FirstCalls | undefined;

  constructor(
    private readonly handle: Handle,
    private readonly shard: Pick<SeldomCalls, 'page' | 'pageNumber'>,
    /** Whether to begin at once each time, so that tests see it. */
    private readonly eager = false,
  ) {
    this.answer = handle.answer;
    memos.add(new WeakRef(this));
    if (eager) this.begin();
  }

  /** `Shard.get`. Small, so that V8 makes it a part of that, and of the loop around. */
  get(key: string, validator?: Validator): Uint8Array | undefined {
    if (validator !== undefined) return this.check(key, validator);
    const left = this.left - 1;
    this.left = left;
    if (left > 0 && this.holds()) {
      const value = this.values.get(key);
      // Somebody may have taken the memory away.
      if (value !== undefined && value.length !== 0) return value;
    }
    return this.ask(key);
  }

  /** A look-up that nothing is kept of. */
  private check(key: string, validator: Validator): Uint8Array | undefined {
    return viewFirst(this.handle, writeValidator(this.handle, validator).getChecked(key));
  }

  /** Whether answers of the time when this began still hold. */
  private holds(): boolean {
    const page = this.page as Int32Array;
    return this.answer[ERA] === this.era && page[0] === this.low && page[1] === this.high;
  }

  /**
   * All that is rare. In one function that is larger than those which V8 makes a part of others (460 bytes of its bytecode): a
   * loop around `Shard.get` has no room for the look-up through the door, once this is in it.
   */
  private ask(key: string): Uint8Array | undefined {
    const { handle, values } = this;
    this.missed++;
    const isOver = this.left <= 0;
    const stranger = isOver && !isHashed(key, handle) && values.has(key);
    let status = fast.get(key, handle.door);
    const keepable = isKeepable(status, key);
    if (status === ORDINARY) status = firstGet(handle, key);
    const value = viewFirst(handle, status, key);
    if (isOver) {
      this.count();
      const answered = this.turns < this.learning ? TURN : TURN - this.missed;
      if (stranger || (answered < FEW_OF_MANY && values.size >= this.most)) this.points += POINTS;
      else if (this.points > 0) this.points--;
      this.turns++;
      this.left = TURN;
      this.missed = this.told = 0;
      this.idle = false;
      if (values.size + TURN > this.most) this.most += Math.min(STEP, MOST - this.most, room());
      if (answered < FEW || this.points >= TOO_MANY_POINTS) this.end();
    } else if (!this.holds()) {
      // Looked at after the answer was found, which is of the time when this began, then.
      this.end();
    } else if (keepable && value !== undefined && value.length !== 0 && values.size < this.most) {
      // Else the window had been taken away, and this is a copy.
      if (value.buffer !== handle.windows[status]) return value;
      this.kept++;
      values.set(key, value);
    }
    return value;
  }

  /** Tells the core of the hits so far; it looks at the clock then. */
  count(): void {
    const hits = TURN - this.left - this.missed - this.told;
    if (hits <= 0) return;
    this.told += hits;
    this.hits += hits;
    hot(this.handle).countKept(hits);
  }

  /** A thousand hits went by. Where the string of the last one has been hashed, others were before, and these may well be the same ones. */
  tick(key: string): void {
    const { handle } = this;
    if (this.on || this.first !== undefined || handle.closed) return;
    const hashed = isHashed(key, handle);
    this.wait -= hashed ? PATIENCE : 1;
    if (this.wait > 0) return;
    if (hashed && this.paid) this.begin();
    else this.watch();
  }

  /**
   * Look-ups go by way of Node-API's function for a while, in the place of which another one asks the door and takes note: code that
   * V8 has made of them knows that way. Through `front` it would be a second place where views are made, see docs/performance/kept-answers.md.
   */
  private watch(): void {
    const { handle } = this;
    const { first } = handle;
    const sample = new Sample(Math.min(MOST, this.most + room()));
    const hashed = (key: string) => isHashed(key, handle);
    const get = (key: string) => {
      const status = fast.get(key, handle.door);
      const pays = sample.note(isKeepable(status, key) ? key : undefined, hashed);
      if (pays !== undefined) this.unwatch();
      if (pays === false) this.despair();
      if (pays === true) {
        this.learning = Math.max(LEARNING, Math.ceil(sample.looks / TURN));
        this.begin();
      }
      if (status === ORDINARY) first.get(key);
      else this.answer[STATUS] = status;
    };
    this.first = first;
    handle.first = { get, exchange: first.exchange };
    handle.direct = 0;
  }

  private unwatch(): void {
    const { first, handle } = this;
    if (first === undefined) return;
    this.first = undefined;
    handle.first = first;
    handle.direct = handle.door;
  }

  /** It was in vain. */
  private despair(): void {
    this.patience = Math.min(LONGEST_PATIENCE, this.patience * 8);
    this.wait = this.patience;
  }

  private begin(): void {
    if (this.on || this.handle.closed) return;
    const { answer, handle, shard } = this;
    const number = shard.pageNumber(handle.native);
    const era = answer[ERA] as number;
    const page = number === this.number ? this.page : shard.page(handle.native);
    if (page == null) {
      this.wait = LONGEST_PATIENCE;
      return;
    }
    // What was kept before still is, if it holds.
    if (this.page === undefined || !this.holds()) this.drop();
    this.page = page;
    this.number = number;
    this.era = era;
    this.low = page[0] as number;
    this.high = page[1] as number;
    this.turns = this.hits = this.kept = this.points = 0;
    this.left = TURN;
    this.missed = this.told = 0;
    this.idle = false;
    if (this.most === 0) this.most = Math.min(STEP, room());
    this.on = true;
    handle.front = this;
    handle.direct = 0;
    timer ??= setInterval(tidyAll, TIDY_MS).unref();
  }

  private end(): void {
    if (!this.on) return;
    this.count();
    this.on = false;
    this.handle.front = undefined;
    this.handle.direct = this.handle.door;
    this.paid = this.hits > this.kept * COST + COST_OF_ALL;
    if (this.paid) this.wait = this.patience = PATIENCE;
    else this.despair();
    if (!this.holds()) this.drop();
    if (this.eager) this.begin();
  }

  /** Now and then: what nobody asks for takes no memory. Gives how many answers may be kept then. */
  tidy(): number {
    if (this.idle) this.close();
    this.idle = true;
    return this.most;
  }

  /** Drops everything. */
  close(): void {
    this.unwatch();
    this.end();
    this.drop();
  }

  private drop(): void {
    this.values = new Map();
    this.most = 0;
  }
}

/** Where a handle's answers are kept; nowhere if that is switched off. */
export function memoOf(handle: Handle): Memo | undefined {
  const { WARMSHARD_MEMO: memo, WARMSHARD_FAST: door } = process.env;
  return memo === '0' ? undefined : new Memo(handle, table('shard'), door === 'eager');
}
