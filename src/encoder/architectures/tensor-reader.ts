import { badFile } from '../../errors.js';
import type { TensorFile } from '../../formats/safetensors/tensor-file.js';

const FLOATS: readonly string[] = ['F32', 'F16', 'BF16', 'F64'];

/**
 * Tensors of a model's weights by their names, as float32. `where` names the file in errors, `what`
 * the model.
 */
export interface TensorReader {
  has(name: string): boolean;
  /**
   * Raises 'bad-file' where it is not there, or has another shape (undefined: any length) or no
   * floating-point values.
   */
  check(name: string, ...shape: (number | undefined)[]): void;
  read(name: string, rows?: readonly [number, number]): Promise<Float32Array>;
}

/** Names begin with the first of the prefixes under which `probe` is there. */
export function tensorReader(
  file: TensorFile,
  {
    prefixes,
    probe,
    what,
    where,
  }: { prefixes: readonly string[]; probe: string; what: string; where: string },
): TensorReader {
  const prefix = prefixes.find((candidate) => file.tensors.has(candidate + probe)) ?? '';
  return {
    has: (name) => file.tensors.has(prefix + name),
    check(name, ...shape) {
      const entry = file.tensors.get(prefix + name);
      if (entry === undefined)
        throw badFile(where, `no tensor ${name}, expected the weights of a ${what} model`);
      if (!FLOATS.includes(entry.type))
        throw badFile(where, `${name} of type ${entry.type}, expected a floating-point one`);
      const fits =
        entry.shape.length === shape.length &&
        shape.every((size, i) =>
          size === undefined ? entry.shape[i] > 0 : entry.shape[i] === size,
        );
      if (!fits) {
        const expected = shape.map((size) => size ?? 'any').join(', ');
        throw badFile(
          where,
          `${name} is [${entry.shape}], expected [${expected}] as in config.json`,
        );
      }
    },
    read: (name, rows) => file.readFloats(prefix + name, { rows }),
  };
}
