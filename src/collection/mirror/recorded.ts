import { stepPacer } from '../../pacer.js';
import { type MirrorTable, mirrorOf } from '../files/mirror-sections.js';
import type { SegmentView } from '../files/open-files.js';
import type { Snapshot } from '../files/snapshot.js';
import type { MirrorRecord } from '../metadata/mirror-record.js';
import { sourceIdOf } from '../metadata/passage-record.js';

/** What a state of a collection keeps of what its documents mirror. */
export interface Recorded {
  /** What a document mirrors; undefined: nothing. */
  of(document: number): MirrorRecord | undefined;
  /** Documents of a root that are not deleted, each once, in their order. */
  documentsOf(root: number): Generator<{ id: string; first: number; record: MirrorRecord }>;
  /** Whether a root has any. */
  isUsed(root: number): boolean;
}

/** Reads that. 36 bytes of memory a passage. Rejects with 'bad-file', or the signal's reason. */
export async function readRecorded(
  snapshot: Snapshot,
  signal: AbortSignal | undefined,
): Promise<Recorded> {
  const tables: (MirrorTable | null)[] = [];
  const used = new Set<number>();
  const step = stepPacer(signal);
  for (const { segment, deleted } of snapshot.segments) {
    const table = await segment.mirrors();
    tables.push(table);
    for (let at = 0; table && at < segment.documents; at++) {
      if (!deleted?.[at]) used.add(table.roots[at]);
      const wait = step(1 / 8);
      if (wait) await wait;
    }
  }
  const { firsts, segments, manifest } = snapshot;
  return {
    isUsed: (root) => used.has(root),
    of(document) {
      const { view, at } = snapshot.locate(document);
      const table = tables[segments.indexOf(view)];
      return (table && mirrorOf(table, at)) ?? undefined;
    },
    *documentsOf(root) {
      let before: string | undefined;
      for (const [i, { segment, deleted }] of segments.entries()) {
        const table = tables[i];
        if (!table) continue;
        for (let at = 0; at < segment.documents; at++) {
          if (table.roots[at] !== root || deleted?.[at]) continue;
          const stored = segment.ids.id(at);
          const id = manifest.passages ? sourceIdOf(stored) : stored;
          if (id !== before)
            yield { id, first: firsts[i] + at, record: mirrorOf(table, at) as MirrorRecord };
          before = id;
        }
      }
    },
  };
}

/** What documents mirror in a state, by their ids; none for those that mirror nothing. */
export async function recordsOf(
  snapshot: Snapshot,
  ids: Iterable<string>,
): Promise<Map<string, MirrorRecord>> {
  const tables = new Map<SegmentView, MirrorTable | null>();
  const records = new Map<string, MirrorRecord>();
  for (const id of ids) {
    const [first] = snapshot.findSource(id);
    if (first === undefined) continue;
    const { view, at } = snapshot.locate(first);
    if (!tables.has(view)) tables.set(view, await view.segment.mirrors());
    const table = tables.get(view);
    const record = table && mirrorOf(table, at);
    if (record) records.set(id, record);
  }
  return records;
}
