import {
  describeFound,
  type ForModelOptions,
  SEARCH_ARGUMENTS,
  SEARCHES,
  searchForModel,
} from '../../adapters/search-for-model.js';
import { collectionOf } from '../../collection/index.js';
import type { Filter } from '../../collection/metadata/filter.js';
import type { SearchMode } from '../../collection/options/options.js';
import { noSuch } from '../problem.js';
import type { ServedCollection, ServedCollections } from '../served.js';
import { COLLECTION, chosenCollection, integerArgument, textArgument } from './arguments.js';
import { READING, type Tool, type ToolArguments } from './tool.js';

/** Characters of one answer of `read`. */
const MOST_TEXT = 20_000;

const SEARCH: Tool = {
  name: 'search',
  title: 'Search documents',
  description: `${SEARCHES} Each result has an id, by which read gives more of it.`,
  inputSchema: {
    type: 'object',
    properties: {
      ...SEARCH_ARGUMENTS,
      collection: COLLECTION,
      mode: {
        type: 'string',
        enum: ['meaning', 'keywords', 'hybrid'],
        description: 'What ranks. Default: hybrid where the collection has keywords.',
      },
    },
    required: ['query'],
    additionalProperties: false,
  },
  annotations: READING,
  call: search,
};

async function search(
  served: ServedCollections,
  given: ToolArguments,
  signal: AbortSignal,
): Promise<string> {
  const { index } = chosenCollection(served, given);
  const query = textArgument(given, 'query');
  const options: ForModelOptions = {
    k: given.k as number | undefined,
    mode: given.mode as SearchMode | undefined,
    filter: given.filter as Filter | undefined,
    signal,
  };
  return describeFound(await served.work.pass(signal, () => searchForModel(index, query, options)));
}

const READ: Tool = {
  name: 'read',
  title: 'Read a document or a passage',
  description:
    'Gives the text of a document, or of a passage with what stands around it, by an id that ' +
    'search or list gave. Long documents come in parts: ask again with a larger offset.',
  inputSchema: {
    type: 'object',
    properties: {
      id: { type: 'string', description: 'Of a document, or of a passage (its # and number too).' },
      collection: COLLECTION,
      around: {
        type: 'integer',
        minimum: 0,
        maximum: 10,
        description: 'Passages before and behind, of a passage. Default 1.',
      },
      offset: {
        type: 'integer',
        minimum: 0,
        description: 'Characters of a document that are left out. Default 0.',
      },
    },
    required: ['id'],
    additionalProperties: false,
  },
  annotations: READING,
  call: read,
};

async function read(served: ServedCollections, given: ToolArguments): Promise<string> {
  const collection = chosenCollection(served, given);
  const id = textArgument(given, 'id');
  const around = integerArgument(given, 'around', [0, 1, 10]);
  const offset = integerArgument(given, 'offset', [0, 0, 2 ** 24]);
  const document = await collection.index.get(id);
  if (!document) throw noSuch(`no document of the id ${JSON.stringify(id)}; search finds ids`);
  if (document.passage) {
    const { source, number } = document.passage;
    return (await surroundings(collection, source, number, around)) ?? document.text ?? '(no text)';
  }
  const { text = '', metadata } = document;
  const part = text.slice(offset, offset + MOST_TEXT);
  const left = text.length - offset - part.length;
  const more = left > 0 ? `\n\n(${left} more characters: offset ${offset + part.length})` : '';
  const facts = metadata && offset === 0 ? `${JSON.stringify(metadata)}\n\n` : '';
  return `${facts}${part || '(no text)'}${more}`;
}

/** Of the source's text from the first of the passages around one to the last. */
async function surroundings(
  { index }: ServedCollection,
  source: string,
  number: number,
  around: number,
): Promise<string | undefined> {
  const document = await index.get(source);
  const near = (document?.passages ?? []).filter(
    (passage) => Math.abs(passage.number - number) <= around && passage.span,
  );
  if (document?.text === undefined || near.length === 0) return undefined;
  const spans = near.flatMap(({ span }) => (span ? [span] : []));
  const [from, to] = [spans[0][0], spans[spans.length - 1][1]];
  const lines = near.flatMap((passage) => passage.lines ?? []);
  const where = lines.length > 0 ? `, lines ${lines[0]}-${lines[lines.length - 1]}` : '';
  return `[${source}]${where}\n${document.text.slice(from, Math.min(to, from + MOST_TEXT))}`;
}

const LIST: Tool = {
  name: 'list',
  title: 'List collections and documents',
  description:
    'Without a collection: the collections there are. With one: ids of its documents, in the ' +
    'order they came, some at a time.',
  inputSchema: {
    type: 'object',
    properties: {
      collection: { type: 'string', description: 'Name of a collection.' },
      offset: { type: 'integer', minimum: 0, description: 'Documents left out. Default 0.' },
      limit: { type: 'integer', minimum: 1, maximum: 200, description: 'Default 50.' },
    },
    additionalProperties: false,
  },
  annotations: READING,
  call: list,
};

async function list(served: ServedCollections, given: ToolArguments): Promise<string> {
  if (given.collection === undefined) {
    const lines = [...served.collections.values()].map(({ name, index }) => {
      const { documents, passages } = index.stats();
      return `${name}: ${documents} ${passages ? 'passages' : 'documents'}`;
    });
    return lines.join('\n') || 'There are no collections.';
  }
  const { index } = chosenCollection(served, given);
  const offset = integerArgument(given, 'offset', [0, 0, 2 ** 31]);
  const limit = integerArgument(given, 'limit', [1, 50, 200]);
  const { ids, more } = documentIds(index, offset, limit);
  const next = more ? `\n(more: offset ${offset + ids.length})` : '';
  return ids.length === 0 ? 'No documents.' : `${ids.join('\n')}${next}`;
}

/** Ids of documents, of a collection that is cut those of the sources, from `offset` on. */
function documentIds(
  index: ServedCollection['index'],
  offset: number,
  limit: number,
): { ids: string[]; more: boolean } {
  const { snapshot } = collectionOf(index);
  const cut = snapshot.manifest.passages !== undefined;
  const ids: string[] = [];
  let [last, seen] = ['', 0];
  for (let document = 0; document < snapshot.documents; document++) {
    if (snapshot.allowed && !snapshot.allowed[document]) continue;
    const id = snapshot.id(document);
    const source = cut ? id.replace(/#\d+$/, '') : id;
    // passages of a source lie side by side
    if (cut && source === last) continue;
    last = source;
    if (seen++ < offset) continue;
    if (ids.length === limit) return { ids, more: true };
    ids.push(source);
  }
  return { ids, more: false };
}

export const READING_TOOLS: readonly Tool[] = [SEARCH, READ, LIST];
