import { type Handler, Module } from '../node-module.js';

const { apply } = Reflect;

/**
 * Finds out where the loader's calls are, by running it on probes.
 *
 * @param handler Node.js' own handler of `.js`
 * @param file any CommonJS file that can be read; it is not run
 * @returns a text for `framesOf`; empty if the loader is not as expected, so that frames would not match
 */
export function learnFrames(handler: Handler, file: string): string {
  const { stackTraceLimit, prepareStackTrace } = Error;
  try {
    Error.stackTraceLimit = 8;
    Error.prepareStackTrace = (_, sites) => sites;
    const sites = () => new Error().stack as unknown as NodeJS.CallSite[];
    let seen: NodeJS.CallSite[] = [];
    const probe = new Module(file);
    probe.filename = file;
    probe.require = () => {
      seen = sites();
    };
    probe._compile('module.exports = String(require); require("")', file, 'commonjs');
    // The frames: `sites`, the probe's `require`, the loader's `require`, the module's body, `_compile`.
    const [, , require, , body] = seen;
    const target = new Module(file);
    target._compile = () => {
      seen = sites();
    };
    apply(handler, Module._extensions, [target, file]);
    const [, , compile] = seen;
    const text = [body, compile, require].map((site) => {
      const name = site?.getFileName();
      if (!name?.startsWith('node:internal/modules/')) throw new Error('not the loader');
      return [name, site?.getLineNumber(), site?.getColumnNumber(), site?.getFunctionName() ?? ''].join(' ');
    });
    return [...text, probe.exports].join('\n');
  } catch {
    return '';
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    if (prepareStackTrace === undefined) delete (Error as { prepareStackTrace?: unknown }).prepareStackTrace;
    else Error.prepareStackTrace = prepareStackTrace;
  }
}
