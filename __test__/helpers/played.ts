// A handle with a simulated fast door: tests see what it is asked and decide what it answers, whatever V8 optimises when.

import { fast } from '../../facade/fast.js';
import { firstGet, type Handle, STATUS } from '../../facade/handle.js';
import { Memo } from '../../facade/later/memo.js';
import { TICK } from '../../facade/later/views.js';
import { viewFirst } from '../../facade/lending.js';

/** The numbers of the window that contains all values, and of the one for copies. */
export const [WINDOW, COPIES] = [7, 2];
/** Hits between two ticks. */
export const TICK_HITS = 1024;

export type Played = ReturnType<typeof played>;

export function played(eager = false) {
  const page = Int32Array.of(1, 0);
  const answer = new Uint32Array(128);
  const values = new Map<string, number>();
  const it = {
    page: page as Int32Array | undefined,
    answer,
    values,
    /** Whether V8 counts the string that is asked for as hashed. */
    hashed: true,
    /** The door's answer for a value that exists. */
    status: WINDOW,
    /** Called during each look-up. */
    during: () => {},
    asked: 0,
    told: 0,
    pages: 0,
    pageNumber: 1,
    /** Whether answers are kept now. */
    get on() {
      return it.handle.front !== undefined;
    },
    /** Whether look-ups are watched, to find out whether keeping answers would pay. */
    get watching() {
      return it.handle.direct === 0 && !it.on;
    },
    /** Frees the room for answers, which all shards of a thread share. */
    close(): void {
      it.handle.closed = true;
      it.memo.close();
    },
    memo: undefined as unknown as Memo,
    handle: undefined as unknown as Handle,
    /** What `get` of `Shard` does. */
    get(key: string): Uint8Array | undefined {
      const { handle } = it;
      if (it.on) return it.memo.get(key);
      if (!it.watching) return viewFirst(handle, fast.get(key, 1), key);
      return viewFirst(handle, firstGet(handle, key), key);
    },
    /** Ticks until answers are kept, `most` times at most; while look-ups are watched, it asks for one key only. Returns the ticks. */
    begin(most = 1e6): number {
      const { asked, hashed } = it;
      values.set('watched', 0);
      let ticks = 0;
      for (; !it.on && ticks < most; ticks++) {
        it.memo.tick('');
        it.hashed = true;
        while (it.watching) it.get('watched');
        it.hashed = hashed;
      }
      values.delete('watched');
      it.asked = asked;
      return ticks;
    },
  };
  let hits = 0;
  fast.get = (key) => {
    it.asked++;
    const at = values.get(key);
    it.during();
    if (at === undefined) return -1;
    answer.set([it.status > 0 ? it.status : WINDOW, at, 4]);
    hits++;
    return it.status === WINDOW && hits % TICK_HITS === 0 ? TICK : it.status;
  };
  fast.hashed = () => Number(it.hashed);
  const windows: ArrayBuffer[] = [];
  windows[WINDOW] = new ArrayBuffer(1 << 20);
  windows[COPIES] = new ArrayBuffer(1 << 20);
  it.handle = {
    answer,
    windows,
    door: 1,
    direct: 1,
    closed: false,
    first: { get: (key: string) => answer.set([fast.get(key, 1)], STATUS) },
    more: {
      countKept(count: number) {
        it.told += count;
        return 0;
      },
    },
  } as unknown as Handle;
  it.memo = new Memo(
    it.handle,
    {
      page() {
        it.pages++;
        return it.page;
      },
      pageNumber: () => it.pageNumber,
    },
    eager,
  );
  it.handle.memo = it.memo;
  return it;
}

export function raise(words: Int32Array | Uint32Array, at = 0): void {
  words[at] = (words[at] as number) + 1;
}

export function fill(it: Played, count: number): string[] {
  const keys = Array.from({ length: count }, (_, i) => `key ${i}`);
  for (const [i, key] of keys.entries()) it.values.set(key, i * 4);
  return keys;
}
