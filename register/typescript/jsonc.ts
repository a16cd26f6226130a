/** JSON as in TypeScript's configuration: with comments, and with a comma behind the last item. */

/** A string, which may contain what looks like a comment; a comment; or a comma behind the last item. */
const TOKENS = /"(?:[^"\\]|\\.)*"|\/\/[^\n]*|\/\*[\s\S]*?\*\/|,(?=(?:\s|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*[}\]])/g;

/** @throws `SyntaxError` if it is no JSON even so */
export function parseJsonc(text: string): unknown {
  return JSON.parse(text.replace(/^\uFEFF/, '').replace(TOKENS, (token) => (token[0] === '"' ? token : ' ')));
}
