import { Document } from '@langchain/core/documents';
import { BaseRetriever } from '@langchain/core/retrievers';
import { BaseDocumentCompressor } from '@langchain/core/retrievers/document_compressors';
import { RunnableLambda } from '@langchain/core/runnables';
import { afterAll, describe, expect, test } from 'vitest';
import { Index, memoryStorage } from '../../dist/entry/node.js';
import { LemurRerank, LemurRetriever } from '../../dist/entry/node-langchain.js';
import { sentencesOf, wordEncoder } from '../collection/passage-encoder.js';
import { waitingEncoder } from '../server/small-server.js';
import { plainOrder, plainScores } from './plain-ranking.js';

const encoder = wordEncoder();
const made = { encoder, threads: 1, passages: { size: 20, overlap: 0 } };
const index = await Index.create(memoryStorage(), made);
afterAll(() => index.close());
await index.add([
  { id: 'bees', text: sentencesOf('bee', 40), metadata: { year: 1967, id: 'their own' } },
  { id: 'ants', text: sentencesOf('ant', 10), metadata: { year: 2011 } },
]);
const QUERY = 'what is bee20?';

describe('a retriever', () => {
  test('finds what the index finds, with its place and scores in the metadata', async () => {
    const retriever = new LemurRetriever({ index, k: 3, mode: 'hybrid' });
    expect(retriever).toBeInstanceOf(BaseRetriever);
    const documents = await retriever.invoke(QUERY);
    const { hits } = await index.search(QUERY, { k: 3, mode: 'hybrid' });
    expect(documents.map(({ id, pageContent }) => [id, pageContent])).toEqual(
      hits.map(({ id, text }) => [id, text]),
    );
    const [{ id, score, similarity, passage }] = hits;
    expect(documents[0].metadata).toEqual({
      year: 1967,
      id,
      score,
      similarity,
      source: 'bees',
      span: passage?.span,
      lines: [1, 1],
    });
  });

  test('takes filters, words and groups', async () => {
    const filtered = new LemurRetriever({ index, k: 2, filter: { year: { $gt: 2000 } } });
    const documents = await filtered.invoke(QUERY);
    expect(documents.map(({ metadata }) => metadata.source)).toEqual(['ants', 'ants']);
    const grouped = new LemurRetriever({ index, groupBy: 'source', mode: 'keywords' });
    expect((await grouped.invoke('number')).map(({ id }) => id).sort()).toEqual(['ants', 'bees']);
  });

  test('is a step of a chain, whose callbacks hear of it', async () => {
    const heard: string[] = [];
    const chain = new LemurRetriever({ index, k: 1 }).pipe(
      RunnableLambda.from((documents: { pageContent: string }[]) => documents[0].pageContent),
    );
    const text = await chain.invoke(QUERY, {
      callbacks: [
        {
          handleRetrieverStart: (retriever, query) => {
            heard.push(`${retriever.id.join('.')} ${query}`);
          },
          handleRetrieverEnd: (documents) => {
            heard.push(`${documents.length}`);
          },
        },
      ],
    });
    expect(text).toContain('bee');
    expect(heard).toEqual([`lemur.retrievers.LemurRetriever ${QUERY}`, '1']);
    expect(await new LemurRetriever({ index, k: 1 }).batch([QUERY, 'ant3'])).toMatchObject([
      [{ metadata: { source: 'bees' } }],
      [{ metadata: { source: 'ants' } }],
    ]);
  });

  test('stops when a call is told to, and goes on with the others', async () => {
    const waiting = waitingEncoder();
    const slow = await Index.create(memoryStorage(), { encoder: waiting, threads: 1 });
    await slow.add({ id: 'a', text: 'bees' });
    const retriever = new LemurRetriever({ index: slow });
    const controller = new AbortController();
    const stopped = retriever.invoke(QUERY, { signal: controller.signal });
    const other = retriever.invoke(QUERY);
    await waiting.asked;
    controller.abort(new Error('enough'));
    await expect(stopped).rejects.toThrow('enough');
    await waiting.stopped;
    waiting.letGo();
    expect(await other).toHaveLength(1);
    await slow.close();
  });

  test('says what is wrong', async () => {
    expect(() => new LemurRetriever({ index: {} as Index })).toThrow(/index: expected an Index/);
    await expect(new LemurRetriever({ index, k: 0 }).invoke('a')).rejects.toThrow(/k: .* got 0/);
    await expect(new LemurRetriever({ index }).invoke(' ')).rejects.toThrow(/empty/);
    const wrong = new LemurRetriever({ index, mode: 'words' as 'keywords' });
    await expect(wrong.invoke('a')).rejects.toMatchObject({ code: 'invalid-argument' });
  });
});

describe('a document compressor', () => {
  const texts = ['Snow is white.', 'Bees dance to tell where flowers are.', 'Where is bee20?'];
  const documents = texts.map(
    (pageContent, i) => new Document({ pageContent, metadata: { number: i }, id: `d${i}` }),
  );

  test('ranks documents as exact MaxSim does, and leaves the given ones as they are', async () => {
    const rerank = new LemurRerank({ encoder });
    expect(BaseDocumentCompressor.isBaseDocumentCompressor(rerank)).toBe(true);
    const scores = await plainScores(encoder, QUERY, texts);
    const ranked = await rerank.compressDocuments(documents, QUERY);
    expect(ranked.map(({ id }) => id)).toEqual(plainOrder(scores).map((i) => `d${i}`));
    for (const { metadata } of ranked)
      expect(metadata.relevanceScore).toBeCloseTo(scores[metadata.number], 5);
    expect(documents[0].metadata).toEqual({ number: 0 });
  });

  test('keeps the best of them', async () => {
    const best = await new LemurRerank({ encoder, topN: 1 }).compressDocuments(documents, QUERY);
    expect(best).toMatchObject([{ id: 'd2', pageContent: texts[2] }]);
    const many = new LemurRerank({ encoder, topN: 1e9 });
    expect(await many.compressDocuments(documents, QUERY)).toHaveLength(3);
    expect(await many.compressDocuments([], QUERY)).toEqual([]);
  });

  test('reranks what a retriever found', async () => {
    const retriever = new LemurRetriever({ index, k: 20, mode: 'keywords' });
    const rerank = new LemurRerank({ encoder, topN: 2 });
    const chain = RunnableLambda.from(async (question: string) =>
      rerank.compressDocuments(await retriever.invoke(question), question),
    );
    const [best] = await chain.invoke('the bee20');
    expect(best.metadata.source).toBe('bees');
    expect(best.metadata.score).toBeGreaterThan(0);
  });

  test('says what is wrong, and stops when it is told to', async () => {
    expect(() => new LemurRerank({} as { encoder: typeof encoder })).toThrow(/expected an encoder/);
    for (const topN of [0, -1, 1.5])
      expect(() => new LemurRerank({ encoder, topN })).toThrow(/topN: expected an integer/);
    const rerank = new LemurRerank({ encoder });
    await expect(rerank.compressDocuments(documents, '')).rejects.toThrow(/query: expected/);
    const wrong = [{ pageContent: 7 as unknown as string, metadata: {} }];
    await expect(rerank.compressDocuments(wrong, QUERY)).rejects.toThrow(/documents\[0\]/);
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(rerank.rerank(texts, QUERY, { signal })).rejects.toThrow('enough');
  });
});
