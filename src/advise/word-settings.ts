import { candidateCount } from '../collection/query/candidate-count.js';
import { rank } from '../collection/query/rank.js';
import { allowedDocuments } from '../search/allowed-documents.js';
import { encodingOf } from '../tokens/encodings.js';
import type { Ground, Setting } from './setting.js';

/** Searches by keywords and by both, as the index does them, among the documents taken. */
export function wordSettings({ device, snapshot, taken, depth, signal }: Ground): Setting[] {
  const { manifest, documents } = snapshot;
  const mask = new Uint8Array(documents);
  for (const number of taken.numbers) mask[number] = 1;
  const allowed = allowedDocuments(documents, taken.isAll ? null : mask, (id) => snapshot.find(id));
  const of = { device, snapshot, allowed, signal, filter: undefined, source: undefined };
  const asked = { ...of, exact: undefined, wanted: candidateCount(snapshot, depth) };
  const bytes = manifest.segments.reduce((sum, one) => sum + (one.keywords?.file.bytes ?? 0), 0);
  return (['keywords', 'hybrid'] as const).map((mode) => ({
    method: mode,
    name: mode === 'keywords' ? 'keywords (BM25)' : 'hybrid, as the index does it',
    numCandidates: null,
    stageBytes: bytes / documents,
    tokenBytes: mode === 'keywords' ? null : encodingOf(manifest.precision).rowBytes(manifest.dim),
    search: async (query) => (await rank({ ...asked, mode }, query, depth)).rankings[0],
  }));
}
