import type { ModelEntry, Residual } from '../files/manifest.js';
import type { Snapshot } from '../files/snapshot.js';

/** Residuals that are larger by so much mean other documents than those learned from. */
const WORSE = 1.5;
/** Fewer documents say little. */
const ENOUGH = 8;
/** Documents at which learning begins to pay. */
export const LEAST_FOR_FEATURES = 4096;
/**
 * Documents that are so many times as long, or as short, as what is typical are of another length.
 */
const OTHER = 2;
/**
 * Where most are so much longer or shorter than typical documents of the fit, these are not typical
 * any more.
 */
const MOVED = 4;
/**
 * Weights that are so many times as large as usual ones hide these from the first stage of a model
 * that knows nothing of lengths.
 */
const HIDING = 32;
/** Documents that tell what is usual. */
const SAMPLE = 4096;

/** How long documents are, by the longest token vector of each. */
export interface DocumentLengths {
  /** That of a typical document at the fit. */
  typical: number;
  /** The largest of all. */
  largest: number;
  /**
   * Documents, deleted ones included, that are more than twice as long as is typical, or less than
   * half; they are scored by a length of their own.
   */
  other: number;
}

/** null without a model, and with one of an earlier version. */
export function documentLengths({
  manifest: { model },
  segments,
}: Snapshot): DocumentLengths | null {
  if (model?.length === undefined) return null;
  let [largest, other] = [segments.length > 0 ? 1 : 0, 0];
  for (const length of lengthsOf(segments)) {
    largest = Math.max(largest, length);
    if (length > OTHER || length < 1 / OTHER) other++;
  }
  return { typical: model.length, largest: largest * model.length, other };
}

/** Whether the model should be fitted anew, and why or why not. */
export function refitAdvice(
  snapshot: Snapshot,
  added: Residual,
  lengths: DocumentLengths | null,
): { due: boolean; why: string } {
  const {
    live,
    manifest: { model },
  } = snapshot;
  if (!model) return adviceWithoutModel(snapshot);
  const hiding = lengths ? 0 : hidingDocuments(snapshot);
  if (hiding > 0) {
    const which = `${hiding} ${hiding === 1 ? 'document has vectors' : 'documents have vectors'}`;
    return {
      due: true,
      why:
        `${which} many times as long as others, which hides these from a model of an ` +
        'earlier version',
    };
  }
  const usual = lengths ? usualLength(snapshot) : 1;
  if (usual > MOVED || usual < 1 / MOVED)
    return {
      due: true,
      why:
        `vectors are ${shown(usual)} times as long as those of the fit, ` +
        'as far as half of the documents go',
    };
  if (added.documents >= ENOUGH && added.mean > WORSE * model.residual.mean) {
    const times = (added.mean / model.residual.mean).toFixed(1);
    return {
      due: true,
      why:
        `documents added since the fit are explained ${times} times worse than those of ` +
        'the fit: they are of another kind',
    };
  }
  if (live > 2 * model.documents)
    return { due: true, why: `there are ${many(snapshot)}, and the fit knew ${model.documents}` };
  return { due: false, why: `${whyNot(model, live)}${othersOf(lengths)}` };
}

/** What searches look through: documents, or their passages. */
function many({ live, manifest: { passages } }: Snapshot): string {
  return `${live} ${passages ? 'passages' : 'documents'}`;
}

function adviceWithoutModel(snapshot: Snapshot): { due: boolean; why: string } {
  const {
    live,
    manifest: { features, unfit },
  } = snapshot;
  if (features === 'exact')
    return {
      due: false,
      why: 'searches are exact, as the collection was made to be (features: exact)',
    };
  if (unfit)
    return {
      due: false,
      why:
        `searches score all ${many(snapshot)} exactly: nothing could be learned from ` +
        `them (${unfit.why})`,
    };
  const least = `features pay from ${LEAST_FOR_FEATURES.toLocaleString('en-US')} on`;
  return live < LEAST_FOR_FEATURES
    ? {
        due: false,
        why: `searches are exact, which is quick enough for ${many(snapshot)}; ${least}`,
      }
    : { due: true, why: `searches score all ${many(snapshot)} exactly; fit() makes them faster` };
}

function whyNot({ features, options }: ModelEntry, live: number): string {
  return features === 'random' && options.epochs === 0 && live >= LEAST_FOR_FEATURES
    ? 'the features are random ones; fit() trains better ones, with fewer candidates for the ' +
        'same recall'
    : 'the documents are like those of the fit';
}

function othersOf(lengths: DocumentLengths | null): string {
  if (!lengths || lengths.other === 0) return '';
  const { other, largest, typical } = lengths;
  const which = other === 1 ? 'one has vectors' : `${other} have vectors`;
  return (
    `; ${which} of another length than is typical (the longest ` +
    `${shown(largest / typical)} times that), and a scale of ${other === 1 ? 'its' : 'their'} own`
  );
}

function shown(ratio: number): string {
  return `${Number(ratio.toPrecision(2))}`;
}

function* lengthsOf(segments: Snapshot['segments']): Generator<number> {
  for (const { codes } of segments) if (codes?.lengths) yield* codes.lengths;
}

/** The middle one of the relative lengths of some documents. */
function usualLength({ segments, firsts, documents }: Snapshot): number {
  return middle(
    sampled(documents, firsts, (segment, at) => segments[segment].codes?.lengths?.[at] ?? 1).filter(
      (length) => length > 0,
    ),
  );
}

/** Documents whose codes are worth many times what those of usual ones are. */
function hidingDocuments({ segments, firsts, documents }: Snapshot): number {
  const usual = middle(
    sampled(documents, firsts, (segment, at) => segments[segment].codes?.scales[at] ?? 0),
  );
  let count = 0;
  for (const { codes } of segments)
    for (const scale of codes?.scales ?? []) if (scale > HIDING * usual) count++;
  return usual > 0 ? count : 0;
}

/** A value of each of some documents from all over the collection. */
function sampled(
  documents: number,
  firsts: Int32Array,
  of: (segment: number, at: number) => number,
): Float64Array {
  const count = Math.min(documents, SAMPLE);
  let segment = 0;
  return Float64Array.from({ length: count }, (_, i) => {
    const document = Math.floor((i * documents) / count);
    while (document >= firsts[segment + 1]) segment++;
    return of(segment, document - firsts[segment]);
  });
}

/** 1 for none. */
function middle(values: Float64Array): number {
  return values.length === 0 ? 1 : values.sort()[values.length >> 1];
}
