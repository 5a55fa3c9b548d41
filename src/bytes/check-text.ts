import { invalidArgument } from '../errors.js';
import { describeKind } from '../value-kind.js';

/** Raises 'invalid-argument' for anything but a string. */
export function checkText(value: unknown, where: string): asserts value is string {
  if (typeof value !== 'string')
    throw invalidArgument(where, `expected a string, got ${describeKind(value)}`);
}

/** Raises 'invalid-argument' for anything but an object whose values are strings. */
export function checkTexts(value: unknown, where: string): void {
  const problem = `expected an object of strings, got ${describeKind(value)}`;
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalidArgument(where, problem);
  for (const [name, text] of Object.entries(value)) checkText(text, `${where}.${name}`);
}
