/** What can be told from a file's name or text before it is loaded. */

/** Whether a file needs a transpiler. The first test spares most files the pattern, because a start has to be fast. */
export const isTyped = (file: string): boolean => !file.endsWith('js') && /\.(?:[cm]?ts|[jt]sx)$/.test(file);

/** Whether a text may have an `import()`. */
export const hasImport = (text: string): boolean => /\bimport\s*\(/.test(text);

/**
 * Whether a handler of `.js` is Node.js' own. Other handlers may call `module._compile`, too, so the text must also have
 * a name that only Node.js' own sources use.
 */
export function isNodes(handler: unknown): boolean {
  const text = String(handler);
  return text.includes('module._compile(') && text.includes('StringPrototypeEndsWith(');
}
