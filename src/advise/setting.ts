import type { Snapshot } from '../collection/files/snapshot.js';
import { type Ranking, rankingOf } from '../collection/query/group-sources.js';
import type { QuerySets } from '../collection/query/read-queries.js';
import type { SearchDevice } from '../device/device.js';
import type { DeviceTokens } from '../device/device-tokens.js';
import type { TensorScope } from '../device/with-tensors.js';
import { DeviceQueries } from '../search/device-queries.js';
import { scoreDocuments } from '../search/score-documents.js';
import type { TopK } from '../search/top-documents.js';
import type { AdviceMethod } from './compared.js';
import type { TakenDocuments } from './take-documents.js';

/** A way to search, and what it takes. */
export interface Setting {
  readonly method: AdviceMethod;
  /** Of the method with what tells it from others of that method, but for candidates. */
  readonly name: string;
  /** Documents that are scored exactly; null: all, or none. */
  readonly numCandidates: number | null;
  /** What is kept of each document to find candidates by, in bytes; null: nothing. */
  readonly stageBytes: number | null;
  /** What is kept of each token vector, in bytes; null: none is looked at. */
  readonly tokenBytes: number | null;
  /** The best documents of one query, by their numbers in the collection. */
  search(query: QuerySets): Promise<Ranking>;
}

/** What all settings are made of. */
export interface Ground {
  readonly device: SearchDevice;
  readonly snapshot: Snapshot;
  readonly taken: TakenDocuments;
  /** The documents that were taken, stored as the collection stores them. */
  readonly tokens: DeviceTokens;
  /** Numbers of those documents within them: 0, 1, .. */
  readonly rows: Int32Array;
  /** Documents that a ranking has. */
  readonly depth: number;
  /** Frees what the settings keep. */
  readonly scope: TensorScope;
  readonly signal: AbortSignal | undefined;
}

/** The best `k` of some documents, numbered as they were taken, by exact MaxSim. */
export async function bestOfRows(
  { device, taken, signal }: Ground,
  query: QuerySets,
  tokens: DeviceTokens,
  rows: Int32Array,
  k: number,
): Promise<Ranking> {
  const asked = new DeviceQueries(device, query, { signal });
  try {
    return taking(taken, await scoreDocuments(device, asked, tokens, [rows], k, { signal }));
  } finally {
    await asked.close();
  }
}

/** A ranking of documents as they were taken, by their numbers in the collection. */
export function taking({ numbers }: TakenDocuments, top: TopK): Ranking {
  const { documents, scores } = rankingOf(top, 0);
  return { documents: documents.map((row) => numbers[row]), scores };
}
