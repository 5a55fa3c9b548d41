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

function summary({ name, index }: ServedCollection): Record<string, unknown> {
  const { documents, dim, encoder, features } = index.stats();
  return { name, documents, dim, encoder: encoder?.id ?? null, features };
}
