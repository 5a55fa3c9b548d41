// What the consumers run and compile.

/**
 * Fit, candidates, rerank, on numbers that are the same everywhere; the function `rank` resolves to
 * ten ids.
 */
export const RANK = `
async function rank({ Lemur, MaxSim }) {
  let state = 1;
  const next = () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return state / 0x40000000 - 1;
  };
  const texts = (count, tokens) => ({ vectors: Float32Array.from({ length: count * tokens * 32 }, next), counts: new Array(count).fill(tokens), dim: 32 });
  const documents = texts(200, 12);
  const queries = texts(1, 6);
  const lemur = await Lemur.fit(documents, { finalHiddenDim: 128, epochs: 3, seed: 7 });
  const candidates = await lemur.candidates(queries, 50);
  const exact = await MaxSim.create(documents);
  const { indices } = await exact.rerankSubset(queries, 10, candidates);
  return indices.join(' ');
}
`;

/** The function `encode` resolves to what an encoder makes of two texts, as JSON. */
export const ENCODE = `
async function encode(loadEncoder, model, options) {
  const encoder = await loadEncoder(model, options);
  const { vectors, counts, spans } = await encoder.encodeQuery(['do vitamins prevent colds?', 'Ångström units']);
  await encoder.close();
  return JSON.stringify({ id: encoder.id, counts: [...counts], spans: [...spans], vectors: [...vectors] });
}
`;

/** Scripts that print them. */
export const IMPORTING = `import * as lemur from 'lemur';
${RANK}
rank(lemur).then(console.log);
`;
export const REQUIRING = `const lemur = require('lemur');
${RANK}
rank(lemur).then(console.log);
`;
/** The same on the kernels of the file. */
export const WITH_INIT = `
import * as lemur from 'lemur';
${RANK}
await lemur.init({ wasm: new URL(import.meta.resolve('lemur/kernels.wasm')) });
console.log(await rank(lemur));
`;

/**
 * Modules of pages: the ids become the title, an error as well. `kernels`: an expression that gives
 * the URL of kernels.wasm.
 */
export const PAGE = page('');
export const pageWithInit = (imports, kernels) =>
  `${imports}\n${page(`await lemur.init({ wasm: ${kernels} });`)}`;

function page(first) {
  return `import * as lemur from 'lemur';
${RANK}
(async () => {
  ${first}
  return rank(lemur);
})().then((ids) => { document.title = ids; }, (error) => { document.title = 'error: ' + error.message; });
`;
}

/**
 * A Worker of workerd: /init with the compiled kernels, /plain without, anything else answers at
 * once.
 */
export const EDGE = `
import * as lemur from 'lemur';
import kernels from 'lemur/kernels.wasm';
${RANK}
export default {
  async fetch({ url }) {
    try {
      const { pathname } = new URL(url);
      if (pathname === '/init') await lemur.init({ wasm: kernels });
      return new Response(pathname === '/init' || pathname === '/plain' ? await rank(lemur) : 'ready');
    } catch (error) {
      return new Response(error.stack, { status: 500 });
    }
  },
};
`;

/** Uses every exported name, so that its declarations are read. */
export const CONSUMER = `
import {
  type Activation, type Candidates, type DenseTokens, type DeviceOptions, type EpochReport, type FitOptions, type InitOptions, type LearnOptions,
  type LemurErrorCode, type LemurErrorFields, type MaxSimOptions, type Progress, type RunOptions, type ScheduleName, type Storage, type TokenInput,
  type TokenMatrix, type TokenReport, type TopK,
  folderStorage, init, isLemurError, Lemur, LemurError, MaxSim, maxSim, memoryStorage, paper, readBeir, readNpy, writeNpy,
} from 'lemur';
import * as encoder from 'lemur/encoder';
import { type Advice, advise, plotAdvice } from 'lemur/advise';
import { createHandler, type Handler, type HandlerOptions } from 'lemur/server';
import { type RerankingModel, rerankingModel, type SearchTool, searchTool } from 'lemur/ai';
import kernels from 'lemur/kernels.wasm';

const text: TokenMatrix = { data: new Float32Array(6), dims: [3, 2] };
const dense: DenseTokens = { data: new Float32Array(12), dims: [2, 3, 2] };
const documents: TokenInput = [text, [[1, 2]], [new Float32Array(2)]];
const options: FitOptions = {
  ...paper, epochs: 1, seed: undefined, gradClip: null, learn: dense, signal: new AbortController().signal, threads: 2,
  onProgress: ({ stage, done, total }: Progress) => console.log(stage, done / total),
  onEpoch: ({ epoch, validationLoss }: EpochReport) => console.log(epoch, validationLoss?.toFixed(3)),
};
const run: RunOptions = {};
const device: DeviceOptions = {};
const exact: MaxSimOptions = { precision: 'int8' };
const [activation, schedule, learn]: [Activation, ScheduleName, LearnOptions] = ['gelu', 'constant', {}];
const storage: Storage = memoryStorage('here');

export async function main(): Promise<number> {
  const compiled: InitOptions = { wasm: kernels };
  await init(compiled);
  await init({ wasm: new URL('https://example.org/kernels.wasm') });
  await init({ wasm: new Uint8Array(8) });
  const lemur: Lemur = await Lemur.fit(documents, { ...options, ...learn, activation, schedule });
  const report: TokenReport | undefined = lemur.tokenReport;
  const weights: Float32Array = await lemur.W;
  const top: TopK = await lemur.candidates(dense, 10, run);
  const candidates: Candidates = [[1, 2], top.indices];
  await lemur.save(storage);
  await lemur.save(folderStorage('folder'));
  const loaded = await Lemur.load('folder', device);
  const rerank: MaxSim = await MaxSim.create(documents, exact);
  const { scores } = await rerank.rerankSubsetFixed(dense, 10, candidates);
  await rerank.rerankSubset([text], 10, await loaded.candidates([text], 50));
  rerank.close();
  return maxSim(text, [[1, 2]]) + weights.length + (scores[0] ?? 0) + (report?.zeroRows ?? 0);
}

export function explain(error: unknown): string {
  if (isLemurError(error, 'dimension-mismatch')) return \`\${error.fields.expected} \${error.fields.got}\`;
  const fields: LemurErrorFields['not-found'] | undefined = isLemurError(error, 'not-found') ? error.fields : undefined;
  if (fields) return fields.where;
  const code: LemurErrorCode | undefined = error instanceof LemurError ? error.code : undefined;
  return code ?? 'other';
}

export const served: HandlerOptions = { maxRunning: 1 };
export const handler: Handler = createHandler({}, served);
export const adapters: [typeof rerankingModel, typeof searchTool, RerankingModel?, SearchTool?] = [rerankingModel, searchTool];
export const told: (advice: Advice) => string = ({ text }) => text;
export const [asked, drawn] = [advise, plotAdvice];
export const formats = [readBeir, readNpy, writeNpy, encoder];
`;
