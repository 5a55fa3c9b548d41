import { showModel } from './files/model-reference.js';
import type { EncoderOrigin, TextReading } from './origin.js';

/** In what an encoder differs from the one that a collection was made with, a phrase for each. */
export function differences(made: EncoderOrigin, given: EncoderOrigin): string[] {
  const out: string[] = [];
  const differ = (what: string, expected: unknown, got: unknown): void => {
    if (expected !== got) out.push(`${what} ${show(got)}, expected ${show(expected)}`);
  };
  const names = otherFiles(made, given);
  if (names.length > 0) {
    differ('the model is', showModel(made.model), showModel(given.model));
    out.push(`other contents of ${names.join(', ')}`);
  }
  differ('vectors of the model of dimension', made.hidden, given.hidden);
  differ('a projection of SHA-256', made.projection, given.projection);
  differ('tokens that are read:', made.maxTokens, given.maxTokens);
  for (const kind of ['query', 'document'] as const)
    for (const part of ['marker', 'prompt', 'length', 'expansion'] as const)
      differ(`${part} of a ${kind}`, partOf(made[kind], part), partOf(given[kind], part));
  return out;
}

/**
 * Whether two encoders have the same model, read texts the same way, and differ in the precision of
 * their products alone: for `int8` a model may bring a file of its own.
 */
export function differInPrecision(made: EncoderOrigin, given: EncoderOrigin): boolean {
  if (made.precision === given.precision) return false;
  const names = otherFiles(made, given);
  const isNamed = names.length === 0 || !('folder' in made.model);
  const isSame = isNamed && showModel(made.model) === showModel(given.model);
  const rest = { ...given, files: made.files, model: made.model };
  return (
    (names.length === 0 || (isSame && names.every((name) => name.endsWith('.onnx')))) &&
    differences(made, rest).length === 0
  );
}

/** Names of files that are not in both with the same content. */
function otherFiles({ files: made }: EncoderOrigin, { files: given }: EncoderOrigin): string[] {
  const names = new Set([...Object.keys(made), ...Object.keys(given)]);
  return [...names].filter((name) => made[name] !== given[name]).sort();
}

function partOf(reading: TextReading | null, part: keyof TextReading): unknown {
  return reading ? reading[part] : null;
}

function show(value: unknown): string {
  if (value === null) return 'none';
  return typeof value === 'string' && !/^[\w@./ -]+$/.test(value)
    ? JSON.stringify(value)
    : String(value === '' ? '""' : value);
}
