import { excerpt } from '../../formats/json/show-json.js';

/**
 * Levels of objects and arrays that metadata and filters may have; also what ends a walk along a
 * cycle.
 */
export const MOST_LEVELS = 32;

/**
 * The name of a member of what `where` names: `where.key`, with quotes where the key is not a plain
 * name.
 */
export function memberOf(where: string, key: string): string {
  return /^[$\w]+$/.test(key)
    ? `${where}.${excerpt(key)}`
    : `${where}[${excerpt(JSON.stringify(key))}]`;
}

/**
 * Whether it is an object as JSON has them: one that no class has made. Those of other realms count
 * too.
 */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** A value's kind, as messages have it. */
export function describeValue(value: unknown): string {
  if (typeof value === 'string') return excerpt(JSON.stringify(value));
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'function' || typeof value === 'symbol' || typeof value === 'bigint')
    return `a ${typeof value}`;
  if (typeof value !== 'object' || value === null) return String(value);
  if (isPlainObject(value)) return 'an object';
  const name: unknown = value.constructor?.name;
  return typeof name === 'string' && name !== ''
    ? `a value of class ${name}`
    : 'an object of a class';
}
