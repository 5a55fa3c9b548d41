import { invalidArgument } from '../../errors.js';
import { describeKind } from '../../value-kind.js';
import type { Watch } from '../calls/watch.js';
import type { Metadata } from '../metadata/metadata.js';
import type { MirrorDocument, MirrorSource } from './mirror-source.js';

type Documents<M extends Metadata> = AsyncIterable<MirrorDocument<M>> | Iterable<MirrorDocument<M>>;

/** Raises 'invalid-argument' for what is no source. */
export function checkSource(source: unknown): void {
  const expected = 'expected an iterable of documents that has a root';
  if (typeof source !== 'object' || source === null)
    throw invalidArgument('source', `${expected}, got ${describeKind(source)}`);
  const { root, list } = source as Partial<MirrorSource>;
  if (typeof root !== 'string' || root === '')
    throw invalidArgument('source.root', `expected a name, got ${describeKind(root)}`);
  if (list !== undefined && typeof list !== 'function')
    throw invalidArgument('source.list', `expected a function, got ${describeKind(list)}`);
  if (!(Symbol.asyncIterator in source || Symbol.iterator in source))
    throw invalidArgument('source', `${expected}, got ${describeKind(source)}`);
}

/** The documents of a source, without their texts where it has a list of such. */
export function eachListed<M extends Metadata>(
  source: MirrorSource<M>,
  watch: Watch,
): AsyncGenerator<MirrorDocument<M>> {
  return eachOf(() => source.list?.() ?? reread(source), watch);
}

/** The documents of a source with their texts. Raises 'invalid-argument' for a generator. */
export function eachWhole<M extends Metadata>(
  source: MirrorSource<M>,
  watch: Watch,
): AsyncGenerator<MirrorDocument<M>> {
  return eachOf(() => reread(source), watch);
}

async function* eachOf<M extends Metadata>(
  open: () => Documents<M>,
  watch: Watch,
): AsyncGenerator<MirrorDocument<M>> {
  const iterator = await watch(async () => iteratorOf(open()));
  let ended = false;
  try {
    for (;;) {
      const step = await watch(async () => iterator.next());
      if (step.done) {
        ended = true;
        return;
      }
      yield step.value;
    }
  } catch (error) {
    ended = true;
    throw error;
  } finally {
    if (!ended) await watch(async () => iterator.return?.()).catch(() => {});
  }
}

/** Raises 'invalid-argument' for a generator: it has been read by then. */
function reread<M extends Metadata>(source: MirrorSource<M>): MirrorSource<M> {
  if ((iteratorOf(source) as unknown) !== source) return source;
  const problem = 'a generator, which can be read once; expected what gives one each time';
  throw invalidArgument('source', problem);
}

function iteratorOf<M extends Metadata>(
  documents: Documents<M>,
): AsyncIterator<MirrorDocument<M>> | Iterator<MirrorDocument<M>> {
  return Symbol.asyncIterator in documents
    ? documents[Symbol.asyncIterator]()
    : documents[Symbol.iterator]();
}
