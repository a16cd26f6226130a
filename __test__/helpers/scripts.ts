// Script caches, source files for them, and caches of functions.

import { utimesSync, writeFileSync } from 'node:fs';
import type { ExecutionContext } from 'ava';
import {
  AutoloadCache,
  type AutoloadCacheOptions,
  type Host,
  ScriptCache,
  type ScriptCacheOptions,
} from 'warmshard';
import { bytes } from './bytes.js';

export const HOST: Host = { name: 'tool', version: '1', binary: false };

/** A cache that is closed when the test ends. */
export function openScripts<P extends string = 'code'>(
  t: ExecutionContext,
  path: string,
  options: Partial<ScriptCacheOptions<P>> = {},
): ScriptCache<P> {
  const cache = ScriptCache.open<P>(path, { host: HOST, ...options });
  t.teardown(() => cache.close());
  return cache;
}

/** A cache of functions that is closed when the test ends. */
export function openFunctions(
  t: ExecutionContext,
  path: string,
  options: Partial<AutoloadCacheOptions> = {},
): AutoloadCache {
  const cache = AutoloadCache.open(path, { host: HOST, ...options });
  t.teardown(() => cache.close());
  return cache;
}

/** Writes a source file with an old modification time, `second`, so that its contents need not be compared. */
export function source(path: string, text: string, second = 1_600_000_000): string {
  writeFileSync(path, text);
  utimesSync(path, second, second);
  return path;
}

/** The parts to save for a source file. */
export const code = (text: string): { code: Uint8Array } => ({ code: bytes(text) });
