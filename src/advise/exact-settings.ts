import { uploadTokens } from '../device/device-tokens.js';
import type { RunOptions } from '../run-options.js';
import { encodeTokens, learnCodec } from '../tokens/encode-tokens.js';
import { encodingOf, encodings } from '../tokens/encodings.js';
import { bestOfRows, type Ground, type Setting } from './setting.js';

/** Documents behind the last that counts, for those that score as it does. */
const TIES = 10;

/**
 * Exact MaxSim of all documents: first as the collection stores them, then by the other encodings,
 * which round what is stored once more.
 */
export async function exactSettings(
  ground: Ground,
  seed: number,
  { onProgress }: RunOptions,
): Promise<Setting[]> {
  const { snapshot, taken, scope, signal } = ground;
  const stored = snapshot.manifest.precision;
  const settings = [setting(ground, stored, ground.tokens)];
  const others = [...encodings.keys()].filter((precision) => precision !== stored);
  for (const [done, precision] of others.entries()) {
    onProgress?.({ stage: 'round', done, total: others.length });
    const codec = await learnCodec(precision, taken.tokens, seed, signal);
    const encoded = await encodeTokens(taken.tokens, codec, signal);
    settings.push(setting(ground, precision, await uploadTokens(scope, encoded)));
  }
  return settings;
}

function setting(ground: Ground, precision: string, tokens: Ground['tokens']): Setting {
  return {
    method: 'exact',
    name: `exact MaxSim, ${precision}`,
    numCandidates: null,
    stageBytes: null,
    tokenBytes: encodingOf(precision).rowBytes(tokens.dim),
    search: (query) => bestOfRows(ground, query, tokens, ground.rows, ground.depth + TIES),
  };
}
