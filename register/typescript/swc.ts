import type { Task, Transpile } from './transpiler.js';

/** The part of swc that is used. */
interface Swc {
  transformSync(source: string, options: object): { code: string; map?: string };
}

const TARGET = /^es(5|6|20\d\d|next)$/i;

function optionsFor({ filename, esm, options, canImport }: Task): object {
  const { target = '', jsx, experimentalDecorators = false, emitDecoratorMetadata = false } = options;
  const level = target.toLowerCase().replace('es6', 'es2015');
  const typescript = !filename.endsWith('.jsx');
  return {
    filename,
    swcrc: false,
    configFile: false,
    sourceMaps: true,
    isModule: true,
    module: esm ? { type: 'es6' } : { type: 'commonjs', ignoreDynamic: canImport },
    jsc: {
      parser: typescript
        ? { syntax: 'typescript', tsx: filename.endsWith('x'), decorators: true }
        : { syntax: 'ecmascript', jsx: true, decorators: true },
      target: TARGET.test(target) && level !== 'esnext' ? level : 'es2022',
      keepClassNames: true,
      transform: {
        legacyDecorator: experimentalDecorators,
        decoratorMetadata: emitDecoratorMetadata,
        ...(!experimentalDecorators && { decoratorVersion: '2022-03' }),
        useDefineForClassFields:
          options.useDefineForClassFields ?? (target === '' || level === 'esnext' || level >= 'es2022'),
        verbatimModuleSyntax: options.verbatimModuleSyntax ?? false,
        react: {
          runtime: jsx === undefined || jsx === 'react' ? 'classic' : 'automatic',
          development: jsx === 'react-jsxdev',
          ...(options.jsxFactory && { pragma: options.jsxFactory }),
          ...(options.jsxFragmentFactory && { pragmaFrag: options.jsxFragmentFactory }),
          ...(options.jsxImportSource && { importSource: options.jsxImportSource }),
        },
      },
    },
  };
}

export function swc(loaded: unknown): Transpile {
  const { transformSync } = loaded as Swc;
  return (task) => {
    const { code, map = '' } = transformSync(task.source, optionsFor(task));
    return { code, map };
  };
}
