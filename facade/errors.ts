/** The codes of everything that can go wrong. A code never changes; messages may improve. */
export type ErrorCode =
  /** The key is not a string, empty, too long, or holds a lone surrogate. */
  | 'ERR_INVALID_KEY'
  /** An argument or option has the wrong type, or a value out of range. */
  | 'ERR_INVALID_ARG'
  /** An entry or the file would exceed its limit. */
  | 'ERR_TOO_LARGE'
  /** Another process held the lock for longer than `lockTimeout`. */
  | 'ERR_LOCK_TIMEOUT'
  /** The shard was opened with `readOnly`. */
  | 'ERR_READ_ONLY'
  /** The shard was closed. */
  | 'ERR_CLOSED'
  /**
   * The file is a symbolic link or not a regular file, belongs to another user, or may be written by others: see the
   * option `trust`.
   */
  | 'ERR_UNTRUSTED_FILE'
  /** The system refused a call: see `errno`, `syscall` and `path`. Without them: a mistake in warmshard; report it. */
  | 'ERR_IO'
  /** No space or quota is left. */
  | 'ERR_NO_SPACE'
  /** A codec could not encode or decode a value: see `cause`. */
  | 'ERR_CODEC'
  /** The work was aborted through its signal; none of it was published. */
  | 'ERR_ABORTED'
  /** The native binary could not be loaded; the message says what was tried. */
  | 'ERR_NATIVE_LOAD';

/** The only error that warmshard throws or rejects with. */
export class WarmshardError extends Error {
  /** What kind of failure it is. */
  readonly code: ErrorCode;
  /** The system's error number, negative, if the system refused a call. */
  declare readonly errno?: number;
  /** The system call that failed. */
  declare readonly syscall?: string;
  /** The file that the error is about. */
  declare readonly path?: string;

  /** @internal The addon makes its errors with these arguments too. */
  constructor(
    code: ErrorCode,
    message: string,
    errno?: number,
    syscall?: string,
    path?: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.code = code;
    if (errno !== undefined) this.errno = errno;
    if (syscall !== undefined) this.syscall = syscall;
    if (path !== undefined) this.path = path;
  }
}

// On the prototype, as in Node.js' own errors, so that it does not show up as a property of each error. Not in a static
// block of the class, which would be one more function to compile.
Object.defineProperty(WarmshardError.prototype, 'name', {
  value: 'WarmshardError',
  writable: true,
  configurable: true,
});

/** The error for an argument that is not what it should be. */
export function invalid(message: string): WarmshardError {
  return new WarmshardError('ERR_INVALID_ARG', message);
}

/** The error for something that the system refused, made from Node.js' error. */
export const refused = (
  { message, errno, syscall, path }: NodeJS.ErrnoException,
  remedy: string,
): WarmshardError => new WarmshardError('ERR_IO', `${message}; ${remedy}`, errno, syscall, path);
