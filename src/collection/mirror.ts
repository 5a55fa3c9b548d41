import { abortable } from '../abortable.js';
import { invalidArgument, isLemurError, type LemurError } from '../errors.js';
import type { PassageOptions } from '../passages/passage-rules.js';
import { RUN_OPTIONS, type RunOptions } from '../run-options.js';
import { fitIfDue } from './add.js';
import type { Watch } from './calls/watch.js';
import { addDocuments } from './ingest/add-documents.js';
import type { Metadata } from './metadata/metadata.js';
import { beginCutting } from './mirror/begin-cutting.js';
import { type Change, encodedAnew, type Plan } from './mirror/change.js';
import { checkOwner } from './mirror/comparison.js';
import { batchesOf, type ReadChange } from './mirror/contents.js';
import { deleteRecorded } from './mirror/delete-recorded.js';
import { bytesOfHex, hexOf } from './mirror/hash.js';
import { checkSource } from './mirror/listed.js';
import type { MirrorContent, MirrorSource } from './mirror/mirror-source.js';
import { planMirror } from './mirror/plan.js';
import { recordsOf } from './mirror/recorded.js';
import { PlanOutdated, registerRoot } from './mirror/register-root.js';
import { restate } from './mirror/restate.js';
import type { OpenCollection, WritingCall } from './open-collection.js';
import { checkFlag } from './options/check-options.js';
import { MIRROR_OPTIONS } from './options/option-names.js';
import type { MirrorOptions } from './options/options.js';
import type { Mirrored } from './options/results.js';

const FLAGS = ['delete', 'force', 'dryRun', 'passages'] as const;

/** What is told of while a plan is carried out. */
export interface MirrorRun extends RunOptions, Pick<MirrorOptions, 'delete' | 'force'> {
  /** How documents are cut from now on, where there are none yet and nothing was said of it. */
  readonly passages?: PassageOptions | undefined;
  /** Called between two commits, outside of any call. */
  readonly between?: (() => Promise<void>) | undefined;
}

/** Brings a collection in step with a source. Rejects as `Index.mirror` does. */
export async function mirror<M extends Metadata>(
  collection: OpenCollection,
  source: MirrorSource<M>,
  options: MirrorOptions,
): Promise<Mirrored> {
  // whether it may be changed is said before anything is listed
  if (options.dryRun !== true)
    await collection.write('mirror', options, MIRROR_OPTIONS, async () => {});
  const passages = options.passages === false ? undefined : source.passages;
  for (;;) {
    const plan = await planFor(collection, source, options, false);
    if (options.dryRun) return planned(plan);
    try {
      return await carryOut(collection, source, plan, { ...options, passages });
    } catch (error) {
      if (!(error instanceof PlanOutdated)) throw error;
    }
  }
}

/** What is to be done, with `anew` as if all had changed; nothing is written. */
export function planFor<M extends Metadata>(
  collection: OpenCollection,
  source: MirrorSource<M>,
  options: MirrorOptions,
  anew: boolean,
): Promise<Plan<M>> {
  return collection.read('mirror', options, MIRROR_OPTIONS, async ({ snapshot, watch }) => {
    for (const name of FLAGS) checkFlag(options[name], name);
    checkSource(source);
    const folder = collection.store.storage.path;
    const call = { snapshot, folder, signal: options.signal, watch, anew };
    return planMirror(call, source, options);
  });
}

function staleOf(stale: number): Pick<Mirrored, 'stale'> {
  return stale > 0 ? { stale } : {};
}

/** What a plan would do. */
export function planned({ changes, gone, stale, unchanged, skipped }: Plan): Mirrored {
  const count = (kind: Change['kind']): number =>
    changes.reduce((sum, change) => sum + Number(change.kind === kind), 0);
  const [added, updated, renamed] = [count('added'), count('updated'), count('renamed')];
  const deleted = gone.length;
  return { added, updated, renamed, deleted, ...staleOf(stale), unchanged, skipped };
}

/**
 * Does what a plan says: first what needs no encoder, then what does, then what goes, each in
 * batches of a commit. What was interrupted goes on with a new plan, in the same order. Rejects
 * with `PlanOutdated`, before anything is written, where another root has come first.
 */
export async function carryOut<M extends Metadata>(
  collection: OpenCollection,
  source: MirrorSource<M>,
  plan: Plan<M>,
  run: MirrorRun,
): Promise<Mirrored> {
  const { unchanged, skipped, changes, root } = plan;
  const none = { added: 0, updated: 0, renamed: 0, deleted: 0 };
  const done: Mirrored = { ...none, ...staleOf(plan.stale), unchanged, skipped };
  const work = new MirrorWork(collection, source, plan, run, done);
  const watch: Watch = (make) => abortable(make(), run.signal);
  const isCopy = ({ from }: Change<M>): boolean => from !== undefined;
  const encoded = changes.filter((change) => !isCopy(change));
  for await (const batch of batchesOf(changes.filter(isCopy), source, root.entry.prefix, watch)) {
    for (const change of await work.restate(batch)) encoded.push(change);
    await run.between?.();
  }
  for await (const batch of batchesOf(encoded, source, root.entry.prefix, watch)) {
    await work.encode(batch);
    await run.between?.();
  }
  await work.delete();
  if (changes.length > 0) await work.fit();
  return done;
}

function tooManyBlank(id: string): LemurError {
  const problem = 'it is blank now, as more than half are; { force: true } deletes what there was';
  return invalidArgument(id, problem);
}

/** Errors that a document is to blame for. */
const OF_DOCUMENTS = ['invalid-argument', 'empty-document', 'not-finite', 'duplicate-id'] as const;

/** Carries out a plan, and counts. */
class MirrorWork<M extends Metadata> {
  readonly #collection: OpenCollection;
  readonly #source: MirrorSource<M>;
  readonly #plan: Plan<M>;
  readonly #run: MirrorRun;
  readonly #done: Mirrored;
  /** Ids of documents whose text has become blank. */
  readonly #blank: string[] = [];

  constructor(
    collection: OpenCollection,
    source: MirrorSource<M>,
    plan: Plan<M>,
    run: MirrorRun,
    done: Mirrored,
  ) {
    this.#collection = collection;
    this.#source = source;
    this.#plan = plan;
    this.#run = run;
    this.#done = done;
    this.#report(0);
  }

  /** Those that have their text already. Returns those that have it no more. */
  async restate(batch: readonly ReadChange<M>[]): Promise<Change<M>[]> {
    const lost: Change<M>[] = [];
    await this.#each(this.#readable(batch), (some) =>
      this.#write(async ({ transaction, models, signal }) => {
        const root = await registerRoot(transaction, this.#plan.root);
        const { snapshot } = transaction;
        const records = await recordsOf(
          snapshot,
          some.flatMap(({ change: { from } }) => from ?? []),
        );
        // much may have happened since the plan was made
        const there = some.filter(({ change }) => {
          const { id, from, content } = change;
          const record = from === undefined ? undefined : records.get(from);
          const isFree = id === from || snapshot.findSource(id).length === 0;
          const is = record && hexOf(record.content) === content && isFree;
          if (!is) lost.push(encodedAnew(change));
          return is;
        });
        if (there.length === 0) return;
        const documents = there.map(({ change: { from, id, content, rest }, content: read }) => ({
          from: from as string,
          id,
          metadata: read?.metadata,
          mirror: { root, content: bytesOfHex(content), rest: bytesOfHex(rest) },
        }));
        this.#count(there, await restate(transaction, documents, await models.current(), signal));
      }),
    );
    return lost;
  }

  /** New and changed ones. */
  async encode(batch: readonly ReadChange<M>[]): Promise<void> {
    for (const { change, content } of batch)
      if (change.kind === 'updated' && content?.text.trim() === '') this.#blank.push(change.id);
    await this.#each(this.#readable(batch), (some) =>
      this.#write(async (call) => {
        const { transaction, models } = call;
        if (!call.encoder)
          throw invalidArgument('mirror', 'the index has no encoder; open it with { encoder }');
        const root = await registerRoot(transaction, this.#plan.root);
        await beginCutting(transaction, this.#run.passages, call.encoder);
        const changes = new Map(some.map(({ change }) => [change.id, change]));
        const records = await recordsOf(transaction.snapshot, changes.keys());
        for (const id of changes.keys())
          checkOwner(id, records.get(id), root, transaction.snapshot);
        const mirrorOf = (id: string) => {
          const { content, rest } = changes.get(id) as Change<M>;
          return { root, content: bytesOfHex(content), rest: bytesOfHex(rest) };
        };
        const documents = some.map(({ change: { id }, content }) => {
          const { text, metadata } = content as MirrorContent<M>;
          return { id, text, metadata };
        });
        const { passages, truncated } = await addDocuments(transaction, documents, {
          ...call,
          onExisting: 'replace',
          onProgress: ({ stage, done }) => stage === 'encode' && this.#report(done),
          mirrorOf,
          loadModel: () => models.current(),
        });
        this.#count(some, passages);
        if (truncated) this.#done.truncated = (this.#done.truncated ?? 0) + truncated;
      }),
    );
  }

  /**
   * Those that are gone, and those whose text is blank by now: what there is of them says what they
   * do not say any more. These go if that is not more than half with them.
   */
  async delete(): Promise<void> {
    const { gone, among, root } = this.#plan;
    const { delete: deletes = true, force = false } = this.#run;
    const blank = this.#blank;
    const areFew = force || gone.length + blank.length <= among / 2;
    if (!deletes && blank.length > 0) this.#done.stale = (this.#done.stale ?? 0) + blank.length;
    if (deletes && !areFew) for (const id of blank) this.#source.refuse?.(id, tooManyBlank(id));
    const ids = deletes && areFew ? [...gone, ...blank] : gone;
    if (ids.length === 0) return;
    this.#done.deleted += await this.#write((call) => deleteRecorded(call, root.number, ids));
  }

  async fit(): Promise<void> {
    const unfit = await this.#write(fitIfDue);
    if (unfit !== undefined) this.#done.unfit = unfit;
  }

  #write<T>(use: (call: WritingCall) => Promise<T>): Promise<T> {
    const { signal, onProgress } = this.#run;
    return this.#collection.write('mirror', { signal, onProgress }, RUN_OPTIONS, use);
  }

  /** Those that could be read and have a text; the others stay as they were. */
  #readable(batch: readonly ReadChange<M>[]): ReadChange<M>[] {
    const read = batch.filter(({ content }) => content && content.text.trim() !== '');
    this.#done.skipped += batch.length - read.length;
    return read;
  }

  /** All together, or one by one where one of them is not taken and the source hears of that. */
  async #each(
    batch: readonly ReadChange<M>[],
    use: (some: readonly ReadChange<M>[]) => Promise<void>,
  ): Promise<void> {
    if (batch.length === 0) return;
    try {
      await use(batch);
    } catch (error) {
      const isTheirs = OF_DOCUMENTS.some((code) => isLemurError(error, code));
      if (!isTheirs || !this.#source.refuse || !isLemurError(error)) throw error;
      if (isLemurError(error, 'invalid-argument') && error.fields.where === 'mirror') throw error;
      if (batch.length === 1) {
        this.#done.skipped++;
        this.#source.refuse(batch[0].change.id, error);
      } else for (const one of batch) await this.#each([one], use);
    }
  }

  #count(changes: readonly ReadChange<M>[], parts: number | undefined): void {
    for (const { change } of changes) this.#done[change.kind]++;
    if (parts && this.#collection.snapshot.manifest.passages)
      this.#done.passages = (this.#done.passages ?? 0) + parts;
    this.#report(0);
  }

  /** `more`: what is under way. */
  #report(more: number): void {
    const { added, updated, renamed } = this.#done;
    const total = this.#plan.changes.length;
    this.#run.onProgress?.({ stage: 'add', done: added + updated + renamed + more, total });
  }
}
