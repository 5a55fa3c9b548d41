import { pacer } from '../../pacer.js';
import type { RunOptions } from '../../run-options.js';
import type { TokenCodec } from '../../tokens/encoding.js';
import { joinTexts } from '../../tokens/join.js';
import { STREAM } from '../../tokens/random-streams.js';
import type { TokenSets } from '../../tokens/token-sets.js';
import type { Snapshot } from '../files/snapshot.js';
import { CODEC_SEED } from '../files/token-codec.js';
import type { Transaction } from '../files/transaction.js';
import type { DocumentModel } from '../learn/document-model.js';
import { sampleDocuments } from '../learn/sample.js';
import { rewriteTokens } from './rewrite-tokens.js';

/** Documents and float32 values that tell how good an encoding's parameters are, at most. */
const MOST = { documents: 4096, values: 4 * 1024 * 1024 };

/**
 * Replaces what the token encoding has learned of the first documents where what it learns of all
 * is materially better: tokens and codes are rewritten in one commit. What the old rows have lost
 * stays lost; documents that come later lose no more.
 */
export async function renewCodec(
  transaction: Transaction,
  loadModel: () => Promise<DocumentModel | null>,
  run: RunOptions,
): Promise<void> {
  const codec = await betterCodec(transaction.snapshot, run.signal);
  if (codec) await rewriteTokens(transaction, { codec }, await loadModel(), run);
}

/** undefined: the present one will do. */
async function betterCodec(
  snapshot: Snapshot,
  signal: AbortSignal | undefined,
): Promise<TokenCodec | undefined> {
  const { live, codec } = snapshot;
  const { encoding, parameters, dim } = codec;
  if (parameters.length === 0 || live === 0) return undefined;
  const sample = await sampleTexts(snapshot, dim, signal);
  const learned = await encoding.learn(sample, CODEC_SEED, signal);
  return (await encoding.improves(sample, parameters, learned, signal))
    ? { ...codec, parameters: learned }
    : undefined;
}

/** Token vectors of documents from all over the collection. */
async function sampleTexts(
  snapshot: Snapshot,
  dim: number,
  signal: AbortSignal | undefined,
): Promise<TokenSets> {
  const tokens = snapshot.manifest.segments.reduce((sum, entry) => sum + entry.tokens, 0);
  const values = tokens * dim;
  const count = Math.min(Math.ceil((MOST.values * snapshot.documents) / values), MOST.documents);
  const texts: Float32Array[] = [];
  const pace = pacer(signal);
  for (const document of sampleDocuments(snapshot, count, 0, STREAM.renewCodec)) {
    await pace();
    texts.push(await snapshot.vectors(document));
  }
  return joinTexts(texts, dim, signal);
}
