import type { Metadata } from '../../../src/collection/metadata/metadata.js';

/** What filters mean, by walking the JSON of one document. */
export function passes(filter: Record<string, unknown>, document: Metadata | undefined): boolean {
  return Object.entries(filter).every(([key, value]) => {
    if (key === '$and')
      return (value as Record<string, unknown>[]).every((part) => passes(part, document));
    if (key === '$or')
      return (value as Record<string, unknown>[]).some((part) => passes(part, document));
    if (key === '$not') return !passes(value as Record<string, unknown>, document);
    const found = document === undefined ? [] : reached(document, key);
    const operators =
      typeof value === 'object' && value !== null
        ? (value as Record<string, unknown>)
        : { $eq: value };
    return holds(operators, found);
  });
}

function holds(operators: Record<string, unknown>, found: readonly unknown[]): boolean {
  const values = found.flat(); // the elements of arrays, one level
  const equals = (operand: unknown): boolean =>
    values.some((value) => value === operand) || (operand === null && found.length === 0);
  const ordered = (
    operand: unknown,
    test: (value: string | number, end: string | number) => boolean,
  ): boolean =>
    values.some(
      (value) => typeof value === typeof operand && test(value as number, operand as number),
    );
  return Object.entries(operators).every(([operator, operand]) => {
    switch (operator) {
      case '$eq':
        return equals(operand);
      case '$ne':
        return !equals(operand);
      case '$in':
        return (operand as unknown[]).some(equals);
      case '$nin':
        return !(operand as unknown[]).some(equals);
      case '$gt':
        return ordered(operand, (value, end) => value > end);
      case '$gte':
        return ordered(operand, (value, end) => value >= end);
      case '$lt':
        return ordered(operand, (value, end) => value < end);
      case '$lte':
        return ordered(operand, (value, end) => value <= end);
      case '$exists':
        return found.length > 0 === operand;
      case '$not':
        return !holds(operand as Record<string, unknown>, found);
      default:
        throw new Error(operator);
    }
  });
}

/** All that lies at a path of an object, whichever way its dots are read. */
function reached(object: object, path: string): unknown[] {
  return Object.entries(object).flatMap(([key, value]) => {
    if (key === path) return [value];
    if (!path.startsWith(`${key}.`)) return [];
    const rest = path.slice(key.length + 1);
    const within = Array.isArray(value) ? value : [value];
    return within
      .filter((item) => typeof item === 'object' && item !== null && !Array.isArray(item))
      .flatMap((item) => reached(item, rest));
  });
}
