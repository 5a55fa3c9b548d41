import type { Device, DeviceCodes, DeviceTokens, Tensor } from '../../device/device.js';
import { stepPacer } from '../../pacer.js';
import { decodeVectors, unlearnedCodec } from '../../tokens/encode-tokens.js';
import type { TokenCodec } from '../../tokens/encoding.js';
import { rowOffsets } from '../../tokens/token-sets.js';
import type { DocumentRecord } from '../metadata/record.js';
import { encodeId } from './id-table.js';
import type { IndexManifest } from './manifest.js';
import type { Model } from './model-file.js';
import type { createOpenFiles, SegmentView } from './open-files.js';
import { codecOf } from './token-codec.js';

/**
 * What finding an id counts as among the steps between two turns of the event loop, and one more in
 * each segment that it is looked for in.
 */
export const STEPS_AN_ID = 4;
/** Documents whose numbers in one array count as a step. */
const STEP_DOCUMENTS = 64;

/**
 * One state of a collection. Documents have numbers in it, segment after segment, deleted ones
 * included.
 */
export interface Snapshot {
  readonly manifest: IndexManifest;
  readonly segments: readonly SegmentView[];
  /** Number of the first document of each segment, and behind the last. */
  readonly firsts: Int32Array;
  /** Documents, deleted ones included. */
  readonly documents: number;
  /** Documents that are not deleted. */
  readonly live: number;
  readonly longest: number;
  /** A byte a document, 0 for deleted ones; null: none is. */
  readonly allowed: Uint8Array | null;
  /** How token vectors are stored. */
  readonly codec: TokenCodec;
  readonly tokens: DeviceTokens;
  readonly model: Model | null;
  /** null without a model, or without documents. */
  readonly codes: DeviceCodes | null;
  /** The number of a document that is not deleted; -1 where there is none. */
  find(id: string): number;
  /** Segment and number within it. */
  locate(document: number): { view: SegmentView; at: number };
  id(document: number): string;
  record(document: number): Promise<DocumentRecord>;
  /** Token vectors of a document as float32, rows x dim. */
  vectors(document: number): Promise<Float32Array>;
  /** Until the function returned is called, nothing of it is given back. */
  use(): () => void;
  /** Gives it back when nobody uses it any more. */
  retire(): Promise<void>;
}

/** Opens what a manifest refers to. Rejects with 'not-found' and 'bad-file', naming the file. */
export async function openSnapshot(
  device: Device,
  files: ReturnType<typeof createOpenFiles>,
  manifest: IndexManifest,
): Promise<Snapshot> {
  const state = await files.open(manifest);
  const { segments, model } = state;
  const firsts = new Int32Array(segments.length + 1);
  segments.forEach(({ segment }, i) => {
    firsts[i + 1] = firsts[i] + segment.documents;
  });
  const documents = firsts[segments.length];
  const kept: Tensor[] = [];
  const step = stepPacer();
  const keep = async <T extends Tensor>(tensor: Promise<T>): Promise<T> => {
    const made = await tensor;
    kept.push(made);
    await step(documents / STEP_DOCUMENTS);
    return made;
  };
  try {
    const join = <A extends Int32Array | Float32Array | Uint8Array>(
      out: A,
      part: (view: SegmentView) => ArrayLike<number> | null,
    ): A => {
      segments.forEach((view, i) => {
        const values = part(view);
        if (values) out.set(values, firsts[i]);
      });
      return out;
    };
    const deleted = join(new Uint8Array(documents), (view) => view.deleted);
    const gone = segments.reduce((sum, { entry }) => sum + (entry.deleted?.count ?? 0), 0);
    const counts = join(new Int32Array(documents), ({ segment }) => segment.counts);
    let longest = 0;
    for (const count of counts) longest = Math.max(longest, count);
    const codec = codecOf(manifest) ?? unlearnedCodec(manifest.precision, manifest.dim);
    const { encoding, parameters } = codec;
    const parts = segments.map(({ segment }) => segment.tokens);
    const tokens: DeviceTokens = {
      vectors: (await keep(device.concat(encoding.dtype, parts))) as DeviceTokens['vectors'],
      counts: await keep(device.upload('i32', counts)),
      offsets: await keep(device.upload('f64', rowOffsets(counts))),
      factors: encoding.textScales
        ? await keep(
            device.upload(
              'f32',
              join(new Float32Array(documents), ({ segment }) => segment.scales),
            ),
          )
        : null,
      mean: parameters.length > 0 ? await keep(device.upload('f32', parameters)) : null,
      checks: await keep(
        device.upload(
          'i32',
          join(new Int32Array(documents), ({ segment }) => segment.tokenChecks),
        ),
      ),
      documents,
      dim: manifest.dim,
      longest,
    };
    const codes: DeviceCodes | null =
      model && documents > 0
        ? {
            rows: documents,
            dim: model.map.layout.latentDim,
            prefixDim: model.prefixMap.dim,
            prefix: await keep(
              device.concat(
                'i8',
                segments.map(({ codes }) => codes?.prefix as Tensor<'i8'>),
              ),
            ),
            codes: await keep(
              device.concat(
                'i8',
                segments.map(({ codes }) => codes?.full as Tensor<'i8'>),
              ),
            ),
            factors: await keep(
              device.upload(
                'f32',
                join(new Float32Array(documents), ({ codes }) => codes?.factors ?? null),
              ),
            ),
            checks: await keep(
              device.upload(
                'i32',
                join(new Int32Array(documents), ({ codes }) => codes?.checks ?? null),
              ),
            ),
            scaling: segments.some(({ codes }) => codes?.scales)
              ? {
                  scales: await keep(
                    device.upload(
                      'f32',
                      join(
                        new Float32Array(documents).fill(1),
                        ({ codes }) => codes?.scales ?? null,
                      ),
                    ),
                  ),
                  step: model.prefixMap.step,
                }
              : null,
          }
        : null;

    let users = 0;
    let retired: (() => void) | undefined;
    const locate = (document: number): { view: SegmentView; at: number } => {
      let low = 0;
      let high = segments.length - 1;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (firsts[middle] <= document) low = middle;
        else high = middle - 1;
      }
      return { view: segments[low], at: document - firsts[low] };
    };
    return {
      manifest,
      segments,
      firsts,
      documents,
      live: documents - gone,
      longest,
      allowed: gone > 0 ? deleted.map((byte) => 1 - byte) : null,
      codec,
      tokens,
      model,
      codes,
      find(id) {
        const encoded = encodeId(id);
        for (let i = segments.length - 1; i >= 0; i--) {
          const at = segments[i].segment.ids.find(encoded);
          if (at >= 0 && !segments[i].deleted?.[at]) return firsts[i] + at;
        }
        return -1;
      },
      locate,
      id(document) {
        const { view, at } = locate(document);
        return view.segment.ids.id(at);
      },
      record(document) {
        const { view, at } = locate(document);
        return view.segment.record(at);
      },
      async vectors(document) {
        const { view, at } = locate(document);
        const [text] = await view.segment.some(at, at + 1);
        return decodeVectors(text, codec);
      },
      use() {
        users++;
        let used = true;
        return () => {
          if (!used) return;
          used = false;
          if (--users === 0) retired?.();
        };
      },
      async retire() {
        if (users > 0)
          await new Promise<void>((resolve) => {
            retired = resolve;
          });
        device.free(...kept);
        await state.release();
      },
    };
  } catch (error) {
    device.free(...kept);
    await state.release();
    throw error;
  }
}
