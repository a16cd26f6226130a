// Assertions about warmshard's errors.

import type { ExecutionContext } from 'ava';
import { type ErrorCode, WarmshardError } from 'warmshard';

/** Runs something that must throw a WarmshardError with this code. */
export function throwsCode(
  t: ExecutionContext,
  code: ErrorCode,
  run: () => unknown,
  what?: string,
): WarmshardError | undefined {
  const error = t.throws(run, { instanceOf: WarmshardError }, what) as WarmshardError | undefined;
  t.is(error?.code, code, `${what ?? ''} ${error?.message ?? ''}`);
  return error;
}

/** The same for a promise. */
export async function rejectsCode(
  t: ExecutionContext,
  code: ErrorCode,
  run: () => Promise<unknown>,
  what?: string,
): Promise<WarmshardError | undefined> {
  const error = (await t.throwsAsync(run, { instanceOf: WarmshardError }, what)) as
    | WarmshardError
    | undefined;
  t.is(error?.code, code, `${what ?? ''} ${error?.message ?? ''}`);
  return error;
}
