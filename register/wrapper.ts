/** Characters that stand before a module's source: Node.js' own wrapper. */
export const WRAPPER_LENGTH = '(function (exports, require, module, __filename, __dirname) { '.length;
