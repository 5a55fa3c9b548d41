import type { PoolingEncoder } from '../encoder/node.js';
import { LemurError } from '../errors.js';
import { formatAnswer, openEngine } from './answer.js';
import { type Collection, openCollection, openProjection } from './collection.js';
import { checkCandidates } from './evaluate.js';
import { findModel, openEncoder } from './model.js';

export interface SearchOptions {
  k: number;
  candidates: number;
  json: boolean;
  /** Folder of the encoder's weights, in place of what the collection was made with. */
  model: string | undefined;
  threads: number | undefined;
  signal: AbortSignal;
}

/** `lemur search`: answers a question from a folder that the demo left. */
export async function search(folder: string, question: string, options: SearchOptions): Promise<string> {
  const { k, candidates, json, model, threads } = options;
  checkCandidates([candidates], k);
  if (question.trim() === '') throw new LemurError('invalid-argument', 'the question is empty', { where: 'question' });
  const collection = await openCollection(folder);
  const encoder = await openCollectionEncoder(collection, model, threads);
  try {
    const engine = await openEngine(collection, encoder, options);
    const answer = await engine.answer(question, k, candidates);
    engine.close();
    return json ? JSON.stringify(answer, null, 2) : formatAnswer(answer);
  } finally {
    await encoder.close();
  }
}

/** The encoder that made the collection; another's vectors mean nothing here. */
export async function openCollectionEncoder(
  { folder, info }: Collection,
  model: string | undefined,
  threads: number | undefined,
): Promise<PoolingEncoder> {
  const { plan } = info;
  const weights = await findModel(model ?? ('folder' in plan.model ? plan.model.folder : undefined));
  const encoder = await openEncoder(weights.folder, await openProjection(folder), threads);
  if (encoder.id === info.encoder.id) return encoder;
  await encoder.close();
  throw new LemurError('invalid-argument', `${weights.folder}: encoder ${encoder.id}, but ${folder} was made with ${info.encoder.id}`, {
    where: 'model',
  });
}
