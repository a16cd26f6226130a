/**
 * A variable of the environment that decides which code or which files are believed. In a process that runs with rights
 * of somebody else (setuid, setgid) the caller of the program has chosen it, so it counts as unset there.
 */
export function trustedVariable(name: string): string | undefined {
  const value = process.env[name];
  return value !== undefined && value !== '' && hasOwnRights() ? value : undefined;
}

/** Whether this process runs with the rights of whoever started it. */
export function hasOwnRights(): boolean {
  return process.getuid?.() === process.geteuid?.() && process.getgid?.() === process.getegid?.();
}
