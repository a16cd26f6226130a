/**
 * An environment variable that decides which code or which files are trusted. In a process with other rights than those
 * of its caller (setuid, setgid) it counts as unset, because the caller has chosen it.
 */
export function trustedVariable(name: string): string | undefined {
  const value = process.env[name];
  return value !== undefined && value !== '' && hasOwnRights() ? value : undefined;
}

/** Whether this process runs with the rights of the user who started it. */
export function hasOwnRights(): boolean {
  return process.getuid?.() === process.geteuid?.() && process.getgid?.() === process.getegid?.();
}
