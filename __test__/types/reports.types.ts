// A dashboard divided by a field that had been renamed.

import { expectTypeOf } from 'expect-type';
import {
  type CompactReport,
  type Durability,
  type EntryInfo,
  type ErrorCode,
  type Fault,
  type Progress,
  type ShardStats,
  type Validator,
  type VerifyReport,
  WarmshardError,
} from 'warmshard';

expectTypeOf<EntryInfo>().toEqualTypeOf<{
  key: string;
  bytes: number;
  parts: Record<string, number>;
  host: { name: string; version: string };
  current: boolean;
  cachedAt: Date;
  lastUsedAt: Date;
  expiresAt?: number;
  validator?: Validator;
  racy: boolean;
  generation: number;
}>();
expectTypeOf<CompactReport>().toEqualTypeOf<{
  bytesBefore: number;
  bytesAfter: number;
  kept: number;
  expired: number;
  corrupt: number;
  evicted: number;
  replaced: boolean;
}>();
expectTypeOf<VerifyReport>().toEqualTypeOf<{
  ok: boolean;
  frames: number;
  records: number;
  entries: number;
  corrupt: number;
  damagedBytes: number;
  unindexed: number;
  faults: Fault[];
}>();
expectTypeOf<Fault>().toEqualTypeOf<{ offset: number; key?: string; reason: string }>();
expectTypeOf<Durability>().toEqualTypeOf<{
  pendingEntries: number;
  pendingBytes: number;
  durable: boolean;
}>();
expectTypeOf<Progress>().toEqualTypeOf<{ done: number; total: number }>();

type Numbers = Omit<ShardStats, 'mapped' | 'rejected' | 'door' | 'doorShut'>;
expectTypeOf<Numbers[keyof Numbers]>().toEqualTypeOf<number>();
expectTypeOf<keyof Numbers>().toExtend<string>();
expectTypeOf<
  'entries' | 'liveBytes' | 'fileBytes' | 'deadBytes' | 'generation' | 'hits' | 'misses' | 'stale' | 'corrupt'
>().toExtend<keyof Numbers>();
expectTypeOf<'puts' | 'rejectedPuts' | 'evictions' | 'flushes'>().toExtend<keyof Numbers>();
expectTypeOf<ShardStats['door']>().toEqualTypeOf<'fast' | 'node-api'>();
expectTypeOf<ShardStats['mapped']>().toEqualTypeOf<boolean>();
expectTypeOf<ShardStats['rejected']>().toEqualTypeOf<string | undefined>();

declare const error: WarmshardError;
expectTypeOf(error).toExtend<Error>();
expectTypeOf(error.code).toEqualTypeOf<ErrorCode>();
expectTypeOf(error.errno).toEqualTypeOf<number | undefined>();
expectTypeOf(error.syscall).toEqualTypeOf<string | undefined>();
expectTypeOf(error.path).toEqualTypeOf<string | undefined>();
expectTypeOf<ErrorCode>().toEqualTypeOf<
  | 'ERR_INVALID_KEY'
  | 'ERR_INVALID_ARG'
  | 'ERR_TOO_LARGE'
  | 'ERR_LOCK_TIMEOUT'
  | 'ERR_READ_ONLY'
  | 'ERR_CLOSED'
  | 'ERR_UNTRUSTED_FILE'
  | 'ERR_IO'
  | 'ERR_NO_SPACE'
  | 'ERR_CODEC'
  | 'ERR_ABORTED'
  | 'ERR_NATIVE_LOAD'
>();

const caught: unknown = error;
if (caught instanceof WarmshardError) expectTypeOf(caught.code).toEqualTypeOf<ErrorCode>();
// @ts-expect-error: no such code
if (error.code === 'ERR_OTHER') throw error;
