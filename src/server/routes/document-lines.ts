import { settlesWithin } from '../../abortable.js';
import type { Index } from '../../collection/index.js';
import type { IndexDocument } from '../../collection/metadata/document.js';
import type { AddOptions } from '../../collection/options/options.js';
import type { Added } from '../../collection/options/results.js';
import { readValues } from '../body.js';
import { type Exchange, limitsOf, streamed } from '../exchange.js';
import type { Gate } from '../gate.js';
import { problemDetails, problemOf } from '../problem.js';

/** Documents that are committed together, or what comes within a second. */
const MOST_DOCUMENTS = 1000;
const MOST_CHARACTERS = 4 * 2 ** 20;
const BATCH_MS = 1000;

type Sum = Pick<Added, 'added' | 'replaced' | 'skipped'>;

/**
 * Adds a body of JSON lines, batch by batch: each is a commit, and then a line of the answer with
 * what is safe by now. The collection is held only while a batch goes in, however slow the client
 * is. What is wrong before anything is committed is the answer's status; later it is its last line.
 */
export async function addLines(
  exchange: Exchange,
  index: Index,
  writes: Gate,
  onExisting: AddOptions['onExisting'],
): Promise<Response> {
  const { request, signal, served, id } = exchange;
  const sum: Sum = { added: 0, replaced: 0, skipped: 0 };
  const batches = inBatches(readValues(request, limitsOf(exchange), signal));
  const addNext = async (): Promise<boolean> => {
    const { done, value } = await batches.next();
    if (done) return false;
    const documents = value as IndexDocument[];
    const more = await writes.pass(signal, () => index.add(documents, { onExisting, signal }));
    for (const what of ['added', 'replaced', 'skipped'] as const) sum[what] += more[what];
    return true;
  };
  const first = await addNext();
  return streamed(exchange, 'application/x-ndjson', async (send, left) => {
    const tell = (line: object): void => void send(`${JSON.stringify(line)}\n`);
    try {
      for (let more = first; more && !left.aborted; more = await addNext())
        tell({ committed: sum.added + sum.replaced + sum.skipped });
      tell({ done: true, ...sum });
    } catch (error) {
      tell({ error: problemDetails(problemOf(error, served.storages), id), ...sum });
    } finally {
      await batches.return();
    }
  });
}

/** What has come within a second is a batch, so that a slow client sees what is safe. */
async function* inBatches(
  values: AsyncGenerator<unknown, void, undefined>,
): AsyncGenerator<unknown[], void, undefined> {
  let batch: unknown[] = [];
  let characters = 0;
  let until = 0;
  const ask = (): ReturnType<typeof values.next> => {
    const asked = values.next();
    // what fails is told where it is waited for
    asked.catch(() => undefined);
    return asked;
  };
  let next = ask();
  try {
    for (;;) {
      const waits = batch.length === 0 ? Infinity : Math.max(0, until - performance.now());
      const isThere = waits === Infinity || (await settlesWithin(next, waits));
      if (isThere) {
        const { done, value } = await next;
        if (done) break;
        if (batch.length === 0) until = performance.now() + BATCH_MS;
        batch.push(value);
        characters += sizeOf(value);
        next = ask();
        if (batch.length < MOST_DOCUMENTS && characters < MOST_CHARACTERS) continue;
      }
      yield batch;
      batch = [];
      characters = 0;
    }
    if (batch.length > 0) yield batch;
  } finally {
    values.return().catch(() => undefined);
  }
}

/** About how much there is of a document, by its text and vectors. */
function sizeOf(value: unknown): number {
  const { text, tokens } = Object(value) as { text?: unknown; tokens?: unknown };
  const vectors = Array.isArray(tokens) ? tokens : [];
  return String(text ?? '').length + vectors.length * 128 * 8;
}
