import { stepPacer } from '../../pacer.js';
import type { Watch } from '../calls/watch.js';
import type { Metadata } from '../metadata/metadata.js';
import { type Change, encodedAnew } from './change.js';
import { hashesOf } from './comparison.js';
import { keptHash } from './hash.js';
import { eachWhole } from './listed.js';
import type { MirrorContent, MirrorSource } from './mirror-source.js';

/**
 * A change with what the document has by now, and the hashes of that; undefined: it could not be
 * read.
 */
export interface ReadChange<M extends Metadata = Metadata> {
  readonly change: Change<M>;
  readonly content: MirrorContent<M> | undefined;
}

/** Documents that are committed together, about a second's work for an encoder. */
const MOST_DOCUMENTS = 256;
const MOST_CHARACTERS = 32_768;

/** Steps that a document counts as, between two turns of the event loop. */
const STEPS_A_DOCUMENT = 16;

/** Changes of these with their contents, in the order of the source. */
async function* contentsOf<M extends Metadata>(
  changes: readonly Change<M>[],
  source: MirrorSource<M>,
  prefix: string,
  watch: Watch,
): AsyncGenerator<ReadChange<M>> {
  const waiting = new Map<string, Change<M>>();
  for (const change of changes) {
    const { read } = change;
    if (read) yield await asRead(change, await watch(read));
    else waiting.set(change.id, change);
  }
  if (waiting.size === 0) return;
  const step = stepPacer();
  for await (const document of eachWhole(source, watch)) {
    // most of them may not have changed
    const wait = step(STEPS_A_DOCUMENT);
    if (wait) await wait;
    const { id, text, metadata } = document;
    const change = waiting.get(prefix + id);
    if (!change || text === undefined) continue;
    waiting.delete(change.id);
    yield { change: withHashes(change, await hashesOf(document)), content: { text, metadata } };
    if (waiting.size === 0) return;
  }
}

/** The same in batches, which depend on the changes alone. */
export async function* batchesOf<M extends Metadata>(
  changes: readonly Change<M>[],
  source: MirrorSource<M>,
  prefix: string,
  watch: Watch,
): AsyncGenerator<ReadChange<M>[]> {
  let batch: ReadChange<M>[] = [];
  let characters = 0;
  for await (const one of contentsOf(changes, source, prefix, watch)) {
    batch.push(one);
    characters += one.content?.text.length ?? 0;
    if (batch.length < MOST_DOCUMENTS && characters < MOST_CHARACTERS) continue;
    yield batch;
    batch = [];
    characters = 0;
  }
  if (batch.length > 0) yield batch;
}

async function asRead<M extends Metadata>(
  change: Change<M>,
  content: MirrorContent<M> | undefined,
): Promise<ReadChange<M>> {
  const { hash, metadataHash } = content ?? {};
  const own = {
    content: hash === undefined ? change.content : await keptHash(hash),
    rest: metadataHash === undefined ? change.rest : await keptHash(metadataHash),
  };
  return { change: withHashes(change, own), content };
}

/** What is kept are the hashes of what is stored: it may have changed since it was listed. */
function withHashes<M extends Metadata>(
  change: Change<M>,
  own: Pick<Change, 'content' | 'rest'>,
): Change<M> {
  const is = own.content === change.content ? change : encodedAnew(change);
  return { ...is, ...own };
}
