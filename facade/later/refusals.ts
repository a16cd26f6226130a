import { invalid, type WarmshardError } from '../errors.js';
import { unlike } from './checks.js';

// Errors of dist/index.cjs: their texts are read by nobody whose calls are right.

export const wrongPath = (name: string, path: unknown): WarmshardError =>
  unlike(`${name} must be a non-empty string without zero bytes or lone surrogates`, path);

export const wrongValue = (): WarmshardError =>
  invalid('a value must be a Uint8Array, not an array; make one of it, or open with a codec');

export const notOpened = (): WarmshardError =>
  invalid('a shard is opened by Shard.open(path, options), not by new');
