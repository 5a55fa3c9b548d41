import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { LemurError } from '../errors.js';
import type { BeirDocument, BeirQuery, Qrels } from '../formats/texts/beir.js';
import { readBeir } from '../formats/texts/node-beir.js';

/**
 * Part of SciFact: documents in the order of the corpus, and the queries all of whose relevant
 * documents are among them.
 */
export interface ScifactTexts {
  documents: readonly BeirDocument[];
  queries: readonly BeirQuery[];
  qrels: Qrels;
  /** How many of `documents` were taken because a query judges them relevant. */
  relevant: number;
  /** Judged queries in all. */
  judgedQueries: number;
}

/**
 * SciFact, or `limit` documents of it: first what is judged relevant, query by query, so that the
 * queries have something to find, then the corpus from its beginning. No randomness.
 */
export async function readScifact(limit: number | undefined): Promise<ScifactTexts> {
  const folder = fileURLToPath(new URL('../../data/scifact', import.meta.url));
  if (!existsSync(folder)) {
    throw new LemurError(
      'not-found',
      `${folder}: the demo's texts are not part of the installed package; run the demo ` +
        'in a clone of the repository',
      {
        where: folder,
      },
    );
  }
  const { documents, queries, qrels } = await readBeir(folder);
  const all: BeirDocument[] = [];
  for await (const document of documents) all.push(document);
  if (limit !== undefined && limit > all.length) {
    throw new LemurError(
      'invalid-argument',
      `--documents ${limit}: SciFact has ${all.length} documents`,
      { where: 'documents' },
    );
  }
  return chooseTexts(all, queries, qrels, limit ?? all.length);
}

export function chooseTexts(
  all: readonly BeirDocument[],
  queries: readonly BeirQuery[],
  qrels: Qrels,
  limit: number,
): ScifactTexts {
  const present = new Set(all.map((document) => document.id));
  const relevantTo = (query: BeirQuery): string[] =>
    [...(qrels.get(query.id) ?? [])]
      .filter(([id, grade]) => grade > 0 && present.has(id))
      .map(([id]) => id);

  const chosen = new Set<string>();
  const take = (id: string): void => {
    if (chosen.size < limit) chosen.add(id);
  };
  for (const query of queries) for (const id of relevantTo(query)) take(id);
  const relevant = chosen.size;
  for (const document of all) take(document.id);

  const kept = queries.filter((query) => {
    const ids = relevantTo(query);
    return ids.length > 0 && ids.every((id) => chosen.has(id));
  });
  const judgements: Qrels = new Map(
    kept.map((query) => [
      query.id,
      new Map([...(qrels.get(query.id) ?? [])].filter(([id]) => chosen.has(id))),
    ]),
  );
  return {
    documents: all.filter((document) => chosen.has(document.id)),
    queries: kept,
    qrels: judgements,
    relevant,
    judgedQueries: queries.length,
  };
}
