import { invalid, type WarmshardError } from '../errors.js';
import { unlike } from './checks.js';

// Errors of dist/index.cjs. They are not in it because a program whose calls are right does not need them.

export const wrongPath = (name: string, path: unknown): WarmshardError =>
  unlike(`${name} must be a non-empty string without zero bytes or lone surrogates`, path);

export const wrongValue = (): WarmshardError =>
  invalid('a value must be a Uint8Array, not an array; make one of it, or open with a codec');

export const notOpened = (): WarmshardError =>
  invalid('a shard is opened by Shard.open(path, options), not by new');
