import { collectionOf } from '../../collection/index.js';
import { describeFields } from '../../collection/query/describe-fields.js';
import { collectionIn, type Exchange, json } from '../exchange.js';
import type { ServedCollection } from '../served.js';

/** Every collection, in a line. */
export async function listCollections({ served }: Exchange): Promise<Response> {
  return json({ collections: [...served.collections.values()].map(summary) });
}

/** Facts of one: `Index.stats`, but for the folders that it mirrors. */
export async function describeCollection(exchange: Exchange): Promise<Response> {
  const collection = collectionIn(exchange);
  // paths of this machine
  const { roots: _, ...stats } = collection.index.stats();
  return json({ name: collection.name, ...stats });
}

/** What filters can ask of its metadata: ranges of numbers and dates, strings that are few. */
export async function describeMetadata(exchange: Exchange): Promise<Response> {
  const { index } = collectionIn(exchange);
  const { signal, served } = exchange;
  const describe = () =>
    collectionOf(index).read('fields', { signal }, { signal: true }, ({ snapshot }) =>
      describeFields(snapshot, signal),
    );
  return json({ fields: await served.work.pass(signal, describe) });
}

function summary({ name, index }: ServedCollection): Record<string, unknown> {
  const { documents, dim, encoder, features } = index.stats();
  return { name, documents, dim, encoder: encoder?.id ?? null, features };
}
