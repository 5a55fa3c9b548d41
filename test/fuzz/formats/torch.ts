import { bytesSource } from '../../../src/bytes/byte-source.js';
import type { PickleValue } from '../../../src/formats/torch/pickle-values.js';
import { readTorchFile, type TorchValue } from '../../../src/formats/torch/torch-file.js';
import { openTorchTensors } from '../../../src/formats/torch/torch-tensors.js';
import { torchFile } from '../../formats/torch/torch-bytes.js';
import { mutateBytes, type Random } from '../../mutations.js';
import { pickles, state } from './pickle.js';
import { hold, reader, sameBytes, sizeOf, WHERE } from './reader.js';
import { floats, zips } from './zip.js';

/** Damage within the pickle passes the checksums, since the file is made around it. */
function mutateTorch(random: Random): Uint8Array {
  const kind = random.below(4);
  if (kind === 0)
    return mutateBytes({ ...zips, seeds: [torchFile(state, { 0: floats, 1: floats })] }, random);
  if (kind === 1)
    return torchFile(state, { 0: mutateBytes({ seeds: [floats] }, random), 1: floats });
  return torchFile(mutateBytes(pickles, random), { 0: floats, 1: floats });
}

export const torch = reader('torch', mutateTorch, async (input) => {
  const value = await readTorchFile(input, WHERE);
  const seen = new Set<unknown>();
  let values = 0;
  const visit = (found: PickleValue | undefined): void => {
    if (typeof found !== 'object' || found === null || seen.has(found)) return;
    seen.add(found);
    if (found instanceof Map || Array.isArray(found))
      for (const item of found.values()) visit(item);
    else if ('data' in found) {
      hold(
        found.data.length === sizeOf(found.shape),
        `${found.data.length} values for [${found.shape}]`,
      );
      values += found.data.length;
    }
  };
  visit(value);
  hold(4 * values <= 8 * input.length, `${values} values from ${input.length} bytes`);
});

/** The same files in parts. Where the whole file can be read, the values are those of it. */
export const torchTensors = reader('torch-tensors', mutateTorch, async (input, random) => {
  const { tensors, readFloats } = await openTorchTensors(bytesSource(input), WHERE);
  const whole = await readTorchFile(input, WHERE).catch(() => undefined);
  let values = 0;
  for (const [name, { type, shape }] of tensors) {
    if (!type.includes('F')) continue;
    const data = await readFloats(name);
    hold(data.length === sizeOf(shape), `${data.length} values for [${shape}]`);
    values += data.length;
    const other = tensorNamed(whole, name);
    if (other) hold(sameBytes(other, data), `${name} has other values than in the whole file`);
    if (shape.length === 0) continue;
    const from = random.below(shape[0] + 1);
    const to = from + random.below(shape[0] + 1 - from);
    const width = sizeOf(shape.slice(1));
    const rows = await readFloats(name, { rows: [from, to] });
    hold(
      sameBytes(rows, data.subarray(from * width, to * width)),
      `rows [${from}, ${to}] of ${name} are not those of the tensor`,
    );
  }
  hold(4 * values <= 8 * input.length, `${values} values from ${input.length} bytes`);
});

/** Of the outermost dictionary. */
function tensorNamed(value: TorchValue | undefined, name: string): Float32Array | undefined {
  const found = value instanceof Map ? value.get(name) : undefined;
  return typeof found === 'object' && found !== null && 'data' in found ? found.data : undefined;
}
