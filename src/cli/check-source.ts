import { LemurError } from '../errors.js';

/** Raises 'invalid-argument' for options that say how texts become vectors: they are vectors. */
export function refuseTextOptions(
  path: string,
  {
    model,
    maxTokens,
    dim,
  }: { model?: string | undefined; maxTokens?: number | undefined; dim?: number | undefined },
): void {
  const given = Object.entries({ '--model': model, '--max-tokens': maxTokens, '--dim': dim }).find(
    ([, value]) => value !== undefined,
  );
  if (!given) return;
  const problem = `${given[0]}: ${path} holds vectors already, nothing is encoded`;
  throw new LemurError('invalid-argument', problem, { where: given[0] });
}

/** Raises 'dimension-mismatch' naming the file. */
export function checkDim(got: number, expected: number, path: string): void {
  if (got === expected) return;
  const problem = `${path}: token vectors have ${got} dimensions, expected ${expected}`;
  throw new LemurError('dimension-mismatch', problem, { where: path, expected, got });
}
