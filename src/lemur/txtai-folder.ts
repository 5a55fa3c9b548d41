import { DEVICE_OPTIONS, type DeviceOptions } from '../device/default-device.js';
import type { Device } from '../device/device.js';
import { buildTensors, withTensors } from '../device/with-tensors.js';
import { LemurError } from '../errors.js';
import type { OptionNames } from '../known-options.js';
import { documentWeights } from '../learn/document-weights.js';
import type { ResolvedLearnOptions } from '../learn/learn-options.js';
import { UNSCALED } from '../learn/scaling.js';
import { createSolver } from '../learn/solver.js';
import { RUN_OPTIONS, type RunOptions } from '../run-options.js';
import type { ReadableStorage } from '../storage/storage.js';
import { unlearnedCodec } from '../tokens/encode-tokens.js';
import { type TokenInput, tokenSetsOfDim } from '../tokens/token-sets.js';
import { uploadDocuments } from './fit-corpus.js';
import type { SolvedCorpus } from './fitted-corpus.js';
import { readArtefact } from './txtai-artefact.js';

/** How an artefact of txtai is opened. */
export interface TxtaiOptions extends DeviceOptions, RunOptions {
  /** Token vectors of the documents to search; their weights are computed. Default: none. */
  documents?: TokenInput | undefined;
  /**
   * Says that documents and queries are centred as those that the artefact was learned from:
   * `centerTokens(tokens, await readTxtaiCenter(folder))`. Required where the artefact has a
   * centre.
   */
  centered?: boolean | undefined;
}

export const TXTAI_OPTIONS: OptionNames<TxtaiOptions> = {
  documents: true,
  centered: true,
  ...DEVICE_OPTIONS,
  ...RUN_OPTIONS,
};

export async function loadTxtai(
  device: Device,
  storage: ReadableStorage,
  options: TxtaiOptions,
): Promise<{ fitted: SolvedCorpus; learnOptions: ResolvedLearnOptions }> {
  const { signal } = options;
  signal?.throwIfAborted();
  const { parameters, sample, mean, std, layout, learnOptions, hasCenter } =
    await readArtefact(storage);
  if (hasCenter && options.centered !== true) {
    const problem =
      `${storage.name} has a centre: got centered ${options.centered}, expected true, ` +
      'and token vectors by centerTokens';
    throw new LemurError('invalid-argument', `centered: ${problem}`, { where: 'centered' });
  }
  const { inputDim } = layout;
  const documents =
    options.documents && (await tokenSetsOfDim(options.documents, inputDim, 'documents', signal));
  return buildTensors(device, async (scope) => {
    const featureMap = { layout, parameters: await scope.upload('f32', parameters) };
    const x = await scope.upload('f32', sample);
    const solver = await createSolver(
      device,
      featureMap,
      x,
      sample.length / inputDim,
      false,
      options,
    );
    scope.ownAll([solver.z, solver.factor]);
    const codec = unlearnedCodec(learnOptions.precision, inputDim);
    const rest = { featureMap, solver, mean, std, codec, scaling: UNSCALED };
    if (!documents) {
      const none = await scope.upload('f32', new Float32Array(0));
      return { fitted: { ...rest, w: none }, learnOptions };
    }
    const w = await withTensors(device, async (used) => {
      const tokens = await uploadDocuments(used, documents, codec, signal);
      return documentWeights(device, rest, tokens, options);
    });
    return { fitted: { ...rest, w }, learnOptions };
  });
}
