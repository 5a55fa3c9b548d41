import { invalidArgument, isLemurError, LemurError } from '../../errors.js';
import { stepPacer } from '../../pacer.js';
import { cutBy } from '../../passages/passage-rules.js';
import type { Watch } from '../calls/watch.js';
import type { IndexManifest } from '../files/manifest.js';
import type { Snapshot } from '../files/snapshot.js';
import type { Metadata } from '../metadata/metadata.js';
import type { MirrorOptions } from '../options/options.js';
import type { Change, Plan } from './change.js';
import { Comparison } from './comparison.js';
import { hexOf } from './hash.js';
import { type KnownRoot, knownRoot } from './known-root.js';
import { eachListed } from './listed.js';
import type { MirrorSource } from './mirror-source.js';
import { type Recorded, readRecorded } from './recorded.js';

/** Steps that a document counts as, between two turns of the event loop. */
const STEPS_A_DOCUMENT = 16;

/** The collection that a plan is made for. */
export interface PlanCall {
  readonly snapshot: Snapshot;
  /** The collection's own folder, where it is in one. */
  readonly folder: string | undefined;
  readonly signal: AbortSignal | undefined;
  readonly watch: Watch;
  /** Whether all counts as changed. */
  readonly anew: boolean;
}

/**
 * Lists a source and compares it with what is recorded of its root. Writes nothing. Rejects with
 * what the source raises, 'empty-corpus' where it has no document, 'invalid-argument' where more
 * than half of those recorded are gone, 'duplicate-id', or the signal's reason.
 */
export async function planMirror<M extends Metadata>(
  { snapshot, folder, signal, watch, anew }: PlanCall,
  source: MirrorSource<M>,
  options: MirrorOptions,
): Promise<Plan<M>> {
  const recorded = await readRecorded(snapshot, signal);
  const knowing = { folder, manifest: snapshot.manifest, recorded };
  const root = await knownRoot(source.root, knowing);
  const step = stepPacer(signal);
  const found = new Comparison({ snapshot, recorded, root, source, anew });
  try {
    for await (const document of eachListed(source, watch)) {
      await found.add(document);
      const wait = step(STEPS_A_DOCUMENT);
      if (wait) await wait;
      options.onProgress?.({ stage: 'list', done: found.listed, total: 0 });
    }
  } catch (error) {
    // what is not there any more has nothing
    if (!options.force || found.listed > 0 || !isLemurError(error, 'not-found')) throw error;
  }
  const { changes, unchanged, isEmpty } = found;
  if (isEmpty && !options.force) {
    const what = found.refused > 0 ? 'none of it is taken' : 'nothing there that could be read';
    const problem = `${source.root}: ${what}; { force: true } goes on`;
    throw new LemurError('empty-corpus', problem, { where: source.root });
  }
  const skipped = source.skipped ?? found.kept + found.refused;
  const rest = { root, unchanged, skipped };
  const nothing = { ...rest, changes, gone: [], stale: 0, among: 0 };
  if (root.isNew) return nothing;
  const missing = await findMissing(recorded, root, found.seen, signal);
  const { among } = missing;
  if (source.complete === false) return { ...nothing, among };
  const { moved, gone } = await withMoves(changes, missing.documents, snapshot.manifest, step);
  if (options.delete === false) return { ...nothing, changes: moved, stale: gone.length, among };
  if (gone.length > missing.among / 2 && !options.force) {
    const problem =
      `${gone.length} of the ${missing.among} documents that are recorded of it are gone, ` +
      'more than half; { force: true } deletes them';
    throw invalidArgument(source.root, problem);
  }
  return { ...nothing, changes: moved, gone, among };
}

/** A document that is recorded and was not listed. */
interface Missing {
  readonly id: string;
  readonly content: string;
}

/** Those of a root, and among how many. */
async function findMissing(
  recorded: Recorded,
  { number }: KnownRoot,
  seen: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<{ documents: Missing[]; among: number }> {
  const step = stepPacer(signal);
  const documents: Missing[] = [];
  let among = 0;
  for (const { id, first, record } of recorded.documentsOf(number)) {
    among++;
    if (!seen[first]) documents.push({ id, content: hexOf(record.content) });
    const wait = step();
    if (wait) await wait;
  }
  return { documents, among };
}

/**
 * New documents that have the content of missing ones, and are cut as these were, take their place;
 * the others are gone.
 */
async function withMoves<M extends Metadata>(
  changes: readonly Change<M>[],
  missing: readonly Missing[],
  { passages }: IndexManifest,
  step: (steps?: number) => Promise<void> | undefined,
): Promise<{ moved: Change<M>[]; gone: string[] }> {
  const nameOf = (content: string, id: string): string =>
    passages?.by === 'auto' ? `${content} ${cutBy('auto', id)}` : content;
  /** Ids by what they have, and how many of them are taken. */
  const free = new Map<string, { ids: string[]; taken: number }>();
  for (const { id, content } of missing) {
    const name = nameOf(content, id);
    const same = free.get(name);
    if (same) same.ids.push(id);
    else free.set(name, { ids: [id], taken: 0 });
    const wait = step();
    if (wait) await wait;
  }
  const taken = new Set<string>();
  const moved: Change<M>[] = [];
  for (const change of changes) {
    const same = change.kind === 'added' ? free.get(nameOf(change.content, change.id)) : undefined;
    const from = same?.ids[same.taken++];
    if (from !== undefined) taken.add(from);
    moved.push(from === undefined ? change : { ...change, kind: 'renamed', from });
    const wait = step();
    if (wait) await wait;
  }
  const gone: string[] = [];
  for (const { id } of missing) {
    if (!taken.has(id)) gone.push(id);
    const wait = step(1 / 4);
    if (wait) await wait;
  }
  return { moved, gone };
}
