/** What a file's name and text tell before it is loaded. */

/** Whether only a transpiler makes a module of a file. Of most it need not be asked: a pattern costs a start something. */
export const isTyped = (file: string): boolean => !file.endsWith('js') && /\.(?:[cm]?ts|[jt]sx)$/.test(file);

/** Whether a text may have an `import()`. */
export const hasImport = (text: string): boolean => /\bimport\s*\(/.test(text);

/**
 * Whether a handler of `.js` is Node.js' own, by its text: it has names in it that only Node.js' own files have. One of
 * somebody else may well call `module._compile`.
 */
export function isNodes(handler: unknown): boolean {
  const text = String(handler);
  return text.includes('module._compile(') && text.includes('StringPrototypeEndsWith(');
}
