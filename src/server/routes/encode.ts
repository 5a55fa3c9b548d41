import { encodeTexts } from '../../encoder/encode-texts.js';
import type { EncodedTexts } from '../../encoder/encoder.js';
import { nextMacrotask } from '../../pacer.js';
import { describeKind, showValue } from '../../value-kind.js';
import { encoderFor } from '../encoder-for.js';
import { bodyOf, type Exchange, streamed } from '../exchange.js';
import { badRequest } from '../problem.js';

/** Texts of one request. */
const MOST_TEXTS = 256;

type Body = Readonly<Record<string, unknown>>;

/** Token vectors in Jina's form. */
export async function encodeAsJina(exchange: Exchange): Promise<Response> {
  const body = await bodyOf(exchange);
  const { embedding_type: type } = body;
  if (type !== undefined && type !== 'float')
    throw badRequest(`embedding_type: expected 'float', got ${showValue(type)}`);
  return encode(exchange, body, (index, rows) => ({
    object: 'embeddings',
    index,
    embeddings: rows,
  }));
}

/** Token vectors in vLLM's form. */
export async function encodeAsVllm(exchange: Exchange): Promise<Response> {
  const body = await bodyOf(exchange);
  const { encoding_format: format = 'float' } = body;
  if (format !== 'float')
    throw badRequest(`encoding_format: expected 'float', got ${showValue(format)}`);
  return encode(exchange, body, (index, rows) => ({ index, object: 'pooling', data: rows }));
}

/** Both read texts as documents unless `input_type` is 'query'. */
async function encode(
  exchange: Exchange,
  body: Body,
  itemOf: (index: number, rows: number[][]) => object,
): Promise<Response> {
  const { served, signal } = exchange;
  const { model, dimensions, input_type: kind = 'document' } = body;
  const texts = textsIn(body.input);
  if (kind !== 'query' && kind !== 'document')
    throw badRequest(`input_type: expected 'query' or 'document', got ${showValue(kind)}`);
  const encoder = encoderFor(served, model);
  const { dim } = encoder;
  if (dimensions !== undefined && dimensions !== dim)
    throw badRequest(
      `dimensions: expected ${dim}, as the encoder has, got ${showValue(dimensions)}`,
    );
  const sets = await served.work.pass(signal, () =>
    encodeTexts(encoder, kind, texts, { dim, signal }),
  );
  // a text's vectors at a time: all of them at once would hold the thread
  return streamed(exchange, 'application/json', async (send, left) => {
    const tokens = sets.counts.reduce((sum, count) => sum + count, 0);
    const head = { id: exchange.id, object: 'list', model: encoder.id };
    const usage = { prompt_tokens: tokens, total_tokens: tokens };
    await send(`${JSON.stringify({ ...head, usage }).slice(0, -1)},"data":[`);
    for (let i = 0; i < texts.length && !left.aborted; i++) {
      await send(`${i > 0 ? ',' : ''}${JSON.stringify(itemOf(i, rowsOf(sets, i)))}`);
      await nextMacrotask();
    }
    await send(']}');
  });
}

function textsIn(input: unknown): string[] {
  const texts: unknown[] = Array.isArray(input) ? input : [input];
  if (texts.length === 0 || texts.length > MOST_TEXTS)
    throw badRequest(`input: expected 1 to ${MOST_TEXTS} texts, got ${texts.length}`);
  const wrong = texts.findIndex((text) => typeof text !== 'string');
  if (wrong >= 0)
    throw badRequest(`input: expected texts, got ${describeKind(texts[wrong])} as number ${wrong}`);
  return texts as string[];
}

function rowsOf({ vectors, counts, offsets, dim }: EncodedTexts, text: number): number[][] {
  return Array.from({ length: counts[text] }, (_, i) => {
    const at = (offsets[text] + i) * dim;
    return Array.from(vectors.subarray(at, at + dim));
  });
}
