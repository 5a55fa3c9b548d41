import type { IndexDocument } from '../../collection/metadata/document.js';
import type { Metadata } from '../../collection/metadata/metadata.js';
import { COLLECTION, chosenCollection, textArgument } from './arguments.js';
import type { Tool } from './tool.js';

/** The same call twice does what one does, and may replace or delete what was there. */
const CHANGES = {
  readOnlyHint: false,
  idempotentHint: true,
  destructiveHint: true,
  openWorldHint: false,
} as const;

/** There only where the server was told so. */
export const WRITING_TOOLS: readonly Tool[] = [
  {
    name: 'add',
    title: 'Add a document',
    description: 'Adds a text under an id of yours, in place of what has that id.',
    inputSchema: {
      type: 'object',
      properties: {
        id: { type: 'string', description: 'A new id, or that of the document to replace.' },
        text: { type: 'string' },
        metadata: { type: 'object', description: 'Facts for filters, as {"year":2011}.' },
        collection: COLLECTION,
      },
      required: ['id', 'text'],
      additionalProperties: false,
    },
    annotations: CHANGES,
    call: async (served, given, signal) => {
      const { index, writes } = chosenCollection(served, given);
      const document: IndexDocument = {
        id: textArgument(given, 'id'),
        text: textArgument(given, 'text'),
        metadata: given.metadata as Metadata | undefined,
      };
      const added = await writes.pass(signal, () =>
        index.add([document], { onExisting: 'replace', signal }),
      );
      return added.replaced > 0 ? 'Replaced.' : 'Added.';
    },
  },
  {
    name: 'delete',
    title: 'Delete a document',
    description: 'Deletes the document, or the passage, of an id.',
    inputSchema: {
      type: 'object',
      properties: { id: { type: 'string' }, collection: COLLECTION },
      required: ['id'],
      additionalProperties: false,
    },
    annotations: CHANGES,
    call: async (served, given, signal) => {
      const { index, writes } = chosenCollection(served, given);
      const id = textArgument(given, 'id');
      const deleted = await writes.pass(signal, () => index.delete([id], { signal }));
      return deleted > 0 ? 'Deleted.' : 'No document has this id.';
    },
  },
];
