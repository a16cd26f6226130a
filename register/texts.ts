/** What a file's name and text tell before it is loaded. */

const TO_TRANSPILE = /\.(?:[cm]?ts|[jt]sx)$/;

/** Whether only a transpiler makes a module of a file. Of most it need not be asked: a pattern costs a start something. */
export const isTyped = (file: string): boolean => !file.endsWith('js') && TO_TRANSPILE.test(file);

/** Whether a text may have an `import()`. */
export const hasImport = (text: string): boolean => /\bimport\s*\(/.test(text);
