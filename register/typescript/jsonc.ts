/** JSON as TypeScript's configuration has it: with comments, and with a comma behind the last item. */

/** One token that may hold what looks like a comment, a comment, or a comma that nothing follows. */
const TOKENS = /"(?:[^"\\]|\\.)*"|\/\/[^\n]*|\/\*[\s\S]*?\*\/|,(?=(?:\s|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*[}\]])/g;

/** @throws where it is no JSON all the same */
export function parseJsonc(text: string): unknown {
  return JSON.parse(text.replace(/^\uFEFF/, '').replace(TOKENS, (token) => (token[0] === '"' ? token : ' ')));
}
