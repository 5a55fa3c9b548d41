// `npm run docs` fails where an exported name or member has no comment.
import { readFileSync } from 'node:fs';

/** What each kind of error carries is told by the kind's own comment. */
function errorFields() {
  const text = readFileSync(new URL('../../src/errors.ts', import.meta.url), 'utf8');
  const kinds = [...text.matchAll(/^ {2}'?([a-z-]+)'?: \{ ([^}]*) \};$/gm)];
  return kinds.flatMap(([, kind, fields]) =>
    fields
      .split('; ')
      .map((field) => `node.LemurErrorFields.${kind}.__type.${field.split(':')[0]}`),
  );
}

/** @type {Partial<import('typedoc').TypeDocOptions>} */
export default {
  name: 'Lemur',
  entryPoints: [
    '../../src/entry/node.ts',
    '../../src/entry/node-encoder.ts',
    '../../src/entry/node-files.ts',
    '../../src/entry/node-server.ts',
    '../../src/entry/ai.ts',
    '../../src/entry/langchain.ts',
    '../../src/entry/advise.ts',
  ],
  tsconfig: 'tsconfig.json',
  out: '../../dist-docs',
  readme: '../../README.md',
  disableSources: true,
  excludeInternal: true,
  excludePrivate: true,
  excludeExternals: true,
  validation: { notExported: true, invalidLink: true, notDocumented: true },
  treatValidationWarningsAsErrors: true,
  // parts of types that a reader sees through
  intentionallyNotExported: [
    ...['Entries', 'Reached', 'Scalar', 'ACTIVATIONS', 'Precision', 'Tensors'],
    ...['Ordered', 'UnnamedSource', 'SearchDevice'],
  ],
  intentionallyNotDocumented: [
    ...errorFields(),
    'node.NpyArray.__type.dtype',
    'node.NpyArray.__type.data',
  ],
};
