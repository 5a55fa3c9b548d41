// The AI SDK, version 6 or 7: reranks documents by MaxSim, and gives a language model a tool that
// searches a collection.
//   node examples/ai-sdk.mjs FOLDER [QUESTION] [MODEL]
// FOLDER: a BEIR folder, as data/scifact; MODEL: one of the AI gateway, with AI_GATEWAY_API_KEY.
// Without it the tool is called as a model would.
import { fileURLToPath } from 'node:url';
import { generateText, rerank, stepCountIs } from 'ai';
import { Index, memoryStorage, readBeir } from 'lemur';
import { rerankingModel, searchTool } from 'lemur/ai';
import { loadEncoder } from 'lemur/encoder';

/** An answer with the ids it rests on, and what was found for it. */
export async function answer(model, index, question) {
  const search = searchTool(index, { about: 'Abstracts of papers in medicine and biology.' });
  const { text, steps } = await generateText({
    model,
    tools: { search },
    stopWhen: stepCountIs(5),
    system: 'Answer from what search finds alone, and name the ids in brackets.',
    prompt: question,
  });
  const found = steps.flatMap(({ toolResults }) => toolResults.flatMap(({ output }) => output));
  return { text, ids: [...new Set(found.map(({ source }) => source))] };
}

/** The k best of texts that are in no collection. */
export async function best(encoder, question, documents, k) {
  const model = rerankingModel(encoder);
  const { ranking } = await rerank({ model, documents, query: question, topN: k });
  return ranking.map(({ score, document }) => ({ score, text: document }));
}

async function main(folder, question = 'does TNF alpha matter in Alzheimer disease?', model) {
  const documents = [];
  for await (const { id, title, text } of (await readBeir(folder)).documents) {
    documents.push({ id, text: `${title} ${text}`, metadata: { title } });
    if (documents.length === 50) break;
  }
  const encoder = await loadEncoder();
  const index = await Index.create(memoryStorage(), { encoder });
  await index.add(documents);
  console.log(question);
  if (model) {
    const { text, ids } = await answer(model, index, question);
    console.log(`${text}\nfrom ${ids.join(', ')}`);
  } else {
    const tool = searchTool(index, { k: 3 });
    const output = await tool.execute({ query: question });
    console.log(tool.toModelOutput({ output }).value);
  }
  const texts = documents.slice(0, 20).map(({ text }) => text);
  for (const { score, text } of await best(encoder, question, texts, 3))
    console.log(score.toFixed(2), text.slice(0, 90));
  await index.close();
  await encoder.close();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(...process.argv.slice(2));
