// LangChain: a retriever over a collection, another one's documents reranked by MaxSim, and a chain
// that answers from them.
//   node examples/langchain.mjs FOLDER [QUESTION]     FOLDER: a BEIR folder, as data/scifact
import { fileURLToPath } from 'node:url';
import { ChatPromptTemplate } from '@langchain/core/prompts';
import { RunnableLambda, RunnablePassthrough, RunnableSequence } from '@langchain/core/runnables';
import { Index, memoryStorage, readBeir } from 'lemur';
import { loadEncoder } from 'lemur/encoder';
import { LemurRerank, LemurRetriever } from 'lemur/langchain';

const PROMPT = ChatPromptTemplate.fromTemplate(
  'Answer from these texts alone, and name their ids.\n\n{context}\n\nQuestion: {question}',
);

/** Documents as a model reads them. */
const asContext = (documents) =>
  documents.map(({ id, pageContent }) => `[${id}] ${pageContent}`).join('\n\n');

/** Finds documents by their words, and reranks the best 50 by MaxSim. */
export function byWordsThenMaxSim(index, encoder, k) {
  const words = new LemurRetriever({ index, k: 50, mode: 'keywords' });
  const rerank = new LemurRerank({ encoder, topN: k });
  return RunnableLambda.from(async (question, config) =>
    rerank.compressDocuments(await words.invoke(question, config), question),
  );
}

/** A chain from a question to a model's answer; the model is any of LangChain's. */
export function answering(retriever, model) {
  return RunnableSequence.from([
    { context: retriever.pipe(asContext), question: new RunnablePassthrough() },
    PROMPT,
    model,
  ]);
}

async function main(folder, question = 'does TNF alpha matter in Alzheimer disease?') {
  const documents = [];
  for await (const { id, title, text } of (await readBeir(folder)).documents) {
    documents.push({ id, text: `${title} ${text}` });
    if (documents.length === 50) break;
  }
  const encoder = await loadEncoder();
  const index = await Index.create(memoryStorage(), { encoder });
  await index.add(documents);
  console.log(question);
  for (const { id, metadata } of await new LemurRetriever({ index, k: 3 }).invoke(question))
    console.log(metadata.similarity.toFixed(2), id, 'by MaxSim');
  for (const { id, metadata } of await byWordsThenMaxSim(index, encoder, 3).invoke(question))
    console.log(metadata.relevanceScore.toFixed(2), id, 'by words, then by MaxSim');
  await index.close();
  await encoder.close();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(...process.argv.slice(2));
