import { invalid } from '../errors.js';

// Whether options have the types that they should have.

export function oneOf(name: string, value: unknown, allowed: readonly string[]): void {
  if (value !== undefined && !allowed.includes(value as string))
    throw invalid(`${name} must be ${allowed.map((a) => `'${a}'`).join(' or ')}, not ${show(value)}`);
}

export function whole(name: string, value: unknown): void {
  if (value !== undefined && !(Number.isSafeInteger(value) && (value as number) >= 0))
    throw invalid(`${name} must be a whole number, not ${show(value)}`);
}

export function flag(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'boolean') throw invalid(`${name} must be true or false`);
}

export function text(name: string, value: unknown): asserts value is string {
  if (typeof value !== 'string') throw invalid(`${name} must be a string, not ${show(value)}`);
  // As UTF-8 two that differ in one would be the same.
  if (!value.isWellFormed()) throw invalid(`${name} holds a lone surrogate: ${show(value)}`);
}

/** For messages. An object's own `toString` may throw, or be missing. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
