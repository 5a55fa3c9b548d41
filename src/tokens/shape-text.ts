import { isNumberArray, typeName } from '../bytes/typed-array.js';

/** Whether a value can be a number of rows or texts. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** A number as messages have it, or the type of what is none. */
export function shown(value: unknown): string {
  return typeof value === 'number' || typeof value === 'bigint' ? String(value) : typeName(value);
}

/** Dimensions as messages have them. */
export function shapeText(dims: unknown): string {
  return isNumberArray(dims) ? `[${Array.from(dims).map(shown)}]` : typeName(dims);
}
