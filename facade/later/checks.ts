import { invalid, WarmshardError } from '../errors.js';

// Checks of the types of arguments and options, and their errors.

/** The error for an argument that breaks a rule; it says what was found. */
export const unlike = (rule: string, found: unknown): WarmshardError =>
  invalid(`${rule}, not ${show(found)}`);

/** Whether this is a `Uint8Array`, of any realm: under jest's jsdom environment a Buffer's class is not ours. */
export const isBytes = (value: unknown): value is Uint8Array =>
  ArrayBuffer.isView(value) && (value as Uint8Array)[Symbol.toStringTag] === 'Uint8Array';

export function object(name: string, value: unknown): asserts value is object {
  if (typeof value !== 'object' || value === null) throw unlike(`${name} must be an object`, value);
}

/** An error about one of many things, with a message that says which. An error about a file stays as it is. */
export function ofOne(which: string, thrown: unknown): unknown {
  if (!(thrown instanceof WarmshardError) || thrown.path !== undefined) return thrown;
  const { code, message, cause } = thrown;
  const options = cause === undefined ? undefined : { cause };
  return new WarmshardError(code, `${which}: ${message}`, undefined, undefined, undefined, options);
}

export function oneOf(name: string, value: unknown, allowed: readonly string[]): void {
  if (value !== undefined && !allowed.includes(value as string))
    throw unlike(`${name} must be ${allowed.map((a) => `'${a}'`).join(' or ')}`, value);
}

export function whole(name: string, value: unknown): void {
  if (value !== undefined && !(Number.isSafeInteger(value) && (value as number) >= 0))
    throw unlike(`${name} must be a whole number from 0 to 2^53 - 1`, value);
}

export function flag(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'boolean') throw unlike(`${name} must be true or false`, value);
}

export function text(name: string, value: unknown): asserts value is string {
  if (typeof value !== 'string') throw unlike(`${name} must be a string`, value);
  // In UTF-8, strings that differ only in a lone surrogate are the same.
  if (!value.isWellFormed()) throw invalid(`${name} holds a lone surrogate: ${show(value)}`);
}

/** How many characters of a string a message repeats. */
const SHOWN = 80;

/** A value for messages. An object's own `toString` may throw, or be missing. */
export function show(value: unknown): string {
  if (typeof value === 'string')
    return JSON.stringify(value.length > SHOWN ? `${value.slice(0, SHOWN)}...` : value);
  if (typeof value === 'function') return 'a function';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
