import { fast, ORDINARY } from '../fast.js';
import { firstGet, type Handle, hot, STATUS } from '../handle.js';
import { viewFirst } from '../lending.js';
import { type FirstCalls, type SeldomCalls, table } from '../native.js';
import { writeValidator } from '../validator.js';
import type { Validator } from './meta.js';
import { Sample } from './sample.js';
import { clearInterval, setInterval } from './timers.js';
import { MORE_COPIES } from './views.js';

/** How many answers one shard keeps at most: some 150 bytes each, plus the key. */
export const MOST = 32_768;
/** How many all shards of a thread keep at most. */
export const MOST_OF_ALL = 4 * MOST;
/** How often unused answers are looked for, in milliseconds. */
const TIDY_MS = 1000;
/** How many more answers a shard may keep each time that its limit is raised. */
const STEP = 1024;
/** Answers for longer keys are not kept. */
const LONGEST_KEY = 256;

/** The look-ups of one turn. After each turn it is decided whether keeping answers pays. */
export const TURN = 256;
/**
 * Keeping pays if a quarter of a turn's look-ups is served from kept answers. This is required after so many turns, and
 * not before as many look-ups as the sample took.
 */
const FEW = TURN / 4;
const LEARNING = 32;
/**
 * Once no more may be kept, three quarters are required: a Map of that size fits no cache of the processor, so a look-up
 * that finds nothing in it waits for memory twice.
 */
const FEW_OF_MANY = (TURN * 3) / 4;
/**
 * Points against keeping, for a turn with fewer than that, or whose last string equals a kept one but has no hash yet.
 * Every other turn takes one away. With too many points keeping ends.
 */
const POINTS = 2;
const TOO_MANY_POINTS = 8;

/**
 * Ticks (see `tick`) before a sample is watched, except for the first one. After a sample in vain they are eight times as
 * many, up to the longest.
 */
const PATIENCE = 64;
const LONGEST_PATIENCE = 65_536;
/** Hits that make up for keeping one answer, and for having begun at all. */
const COST = 2;
const COST_OF_ALL = LEARNING * TURN;

/** Word of the answer with the era; see src-rs/binding/exchange.rs. */
export const ERA = 97;

/** The memos of this thread, held weakly, like their handles. */
const memos = new Set<WeakRef<Memo>>();
/** Tidies the memos while they keep anything. It does not keep the process alive. */
let timer: NodeJS.Timeout | undefined;

/** The memos that are still in use. */
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

/** Whether V8 knows the string's hash, because it was looked up in a Map before. */
function isHashed(key: string, handle: Handle): boolean {
  return fast.hashed(key, handle.door) !== 0;
}

/** Whether an answer of the fast door may be kept. */
function isKeepable(status: number, key: string): boolean {
  return status > MORE_COPIES && key.length <= LONGEST_KEY;
}

/** By how much the limits of this thread's shards may still be raised, altogether. */
function room(): number {
  let left = MOST_OF_ALL;
  for (const memo of living()) left -= memo.most;
  return left;
}

/**
 * Keeps answers of `get` and returns them again while nothing changes, in front of the fast door. A Map finds a string
 * that was looked up before by the hash stored in the string; the core would have to read and hash its bytes.
 *
 * Answers hold while the generation on the sidecar's page and the handle's era are what they were when keeping began.
 * Both are compared before each answer, in memory that is never written to from here. Any change ends keeping, and drops
 * what was kept. Only answers of the core's quick way in windows are kept: verified, of one part, without validator or
 * expiry.
 *
 * Keeping pays only if the same string objects come again. So a sample of them is watched first, and again at growing
 * distances if that was in vain. While nothing is kept, look-ups do not come here.
 */
export class Memo {
  /** How many answers may be kept here at present. */
  most = 0;
  private values = new Map<string, Uint8Array>();
  private readonly answer: Uint32Array;
  private page: Int32Array | undefined;
  private number = 0;
  private low = 0;
  private high = 0;
  private era = 0;
  private on = false;
  // In this turn: look-ups left, those that were not answered here, and hits that were reported to the core.
  private left = TURN;
  private missed = 0;
  private told = 0;
  // Since keeping began: turns, hits, answers kept, and points against it.
  private turns = 0;
  private hits = 0;
  private kept = 0;
  private points = 0;
  private learning = LEARNING;
  // While keeping is off: ticks left until the next attempt, ticks between attempts, and whether the last one paid.
  private wait = 1;
  private patience = PATIENCE / 8;
  private paid = false;
  private idle = false;
  /** The handle's own `first`, while look-ups are watched. */
  private first: FirstCalls | undefined;

  constructor(
    private readonly handle: Handle,
    private readonly shard: Pick<SeldomCalls, 'page' | 'pageNumber'>,
    /** Whether to begin at once each time, for tests. */
    private readonly eager = false,
  ) {
    this.answer = handle.answer;
    memos.add(new WeakRef(this));
    if (eager) this.begin();
  }

  /** Answers `Shard.get`. It is small, so that V8 inlines it there, and into the loop around that. */
  get(key: string, validator?: Validator): Uint8Array | undefined {
    if (validator !== undefined) return this.check(key, validator);
    const left = this.left - 1;
    this.left = left;
    if (left > 0 && this.holds()) {
      const value = this.values.get(key);
      // The program may have detached its memory.
      if (value !== undefined && value.length !== 0) return value;
    }
    return this.ask(key);
  }

  /** A look-up whose answer is not kept. */
  private check(key: string, validator: Validator): Uint8Array | undefined {
    return viewFirst(this.handle, writeValidator(this.handle, validator).getChecked(key));
  }

  /** Whether the answers that were kept still hold. */
  private holds(): boolean {
    const page = this.page as Int32Array;
    return this.answer[ERA] === this.era && page[0] === this.low && page[1] === this.high;
  }

  /**
   * Everything that is rare, in one function that is too large for V8 to inline (460 bytes of bytecode): in a loop around
   * `Shard.get` it would leave no room for the look-up through the door.
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
      // Compared after the look-up: only an answer from before any change is kept.
      this.end();
    } else if (keepable && value !== undefined && value.length !== 0 && values.size < this.most) {
      // If the window's memory was detached, the value is a copy, which is not kept.
      if (value.buffer !== handle.windows[status]) return value;
      this.kept++;
      values.set(key, value);
    }
    return value;
  }

  /** Reports the hits so far to the core, which then looks at the clock. */
  count(): void {
    const hits = TURN - this.left - this.missed - this.told;
    if (hits <= 0) return;
    this.told += hits;
    this.hits += hits;
    hot(this.handle).countKept(hits);
  }

  /** Called at every 1,024th hit. It counts more if its string has a hash, since the same strings may well come again. */
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
   * Watches a sample. Meanwhile look-ups go to the function of Node-API, which is replaced by one that asks the door and
   * notes the string: V8 has compiled that way into the program's loops. With `front` there would be a second place where
   * views are made, see docs/performance/kept-answers.md.
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

  /** Called after an attempt in vain: the next one comes later. */
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
    // Answers that were kept before are used again if they hold.
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

  /** Drops everything if no turn has ended since the last call. Returns how many answers may be kept then. */
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

/** Makes what keeps a handle's answers; `undefined` if that is switched off. */
export function memoOf(handle: Handle): Memo | undefined {
  const { WARMSHARD_MEMO: memo, WARMSHARD_FAST: door } = process.env;
  return memo === '0' ? undefined : new Memo(handle, table('shard'), door === 'eager');
}
