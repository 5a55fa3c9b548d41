import { InvalidArgumentError } from './vendor.js';

/** A positive whole number; commander says which option it was. */
export function positiveInteger(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value > 0) return value;
  throw new InvalidArgumentError('Expected a whole number of at least 1.');
}

/** Gathers the values of an option that takes several. */
export function positiveIntegers(text: string, before: readonly number[] | undefined): number[] {
  return [...(before ?? []), positiveInteger(text)];
}
