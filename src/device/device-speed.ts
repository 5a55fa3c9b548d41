import type { SearchDevice } from './device.js';
import { uploadTokens } from './device-tokens.js';
import { withTensors } from './with-tensors.js';

/** How long a device takes: for any call at all, and for a multiplication and an addition. */
export interface DeviceSpeed {
  readonly callMs: number;
  readonly perWorkMs: number;
}

/** A small text collection that is scored for the measurement. */
const DIM = 128;
const TOKENS = 32;
const SIZES = { few: 1, many: 256 };
/** Of each size the quickest of so many counts, after one that prepares. */
const TURNS = 3;

/** Measures exact MaxSim of one query, by which devices are chosen; a fraction of a second. */
export async function measureSpeed(
  device: SearchDevice,
  now: () => number = () => performance.now(),
): Promise<DeviceSpeed> {
  const few = await quickest(device, SIZES.few, now);
  const many = await quickest(device, SIZES.many, now);
  const work = 2 * DIM * 32 * TOKENS * (SIZES.many - SIZES.few);
  return { callMs: few, perWorkMs: Math.max(0, many - few) / work };
}

/** Milliseconds that so much work takes, in one call. */
export function millisecondsOf({ callMs, perWorkMs }: DeviceSpeed, work: number): number {
  return callMs + work * perWorkMs;
}

/** Whether one device takes less time than another; where both take for ever, the steadier rate. */
export function isQuicker(one: DeviceSpeed, other: DeviceSpeed, work: number): boolean {
  if (work === Infinity) return one.perWorkMs < other.perWorkMs;
  return millisecondsOf(one, work) < millisecondsOf(other, work);
}

async function quickest(
  device: SearchDevice,
  documents: number,
  now: () => number,
): Promise<number> {
  return withTensors(device, async (scope) => {
    const queries = await uploadTokens(scope, texts([32]));
    const tokens = await uploadTokens(scope, texts(new Array(documents).fill(TOKENS)));
    const out = await scope.allocate('f32', documents);
    let best = Infinity;
    for (let turn = 0; turn <= TURNS; turn++) {
      const begun = now();
      await device.maxSim(queries, tokens, out);
      await device.read(out);
      if (turn > 0) best = Math.min(best, now() - begun);
    }
    return best;
  });
}

/** Texts whose values do not matter. */
function texts(counts: readonly number[]) {
  const offsets = new Float64Array(counts.length + 1);
  for (const [i, count] of counts.entries()) offsets[i + 1] = offsets[i] + count;
  const vectors = new Float32Array(offsets[counts.length] * DIM);
  for (let i = 0; i < vectors.length; i++) vectors[i] = (i % 251) / 251 - 0.5;
  return { vectors, counts: Int32Array.from(counts), offsets, dim: DIM };
}
