import { invalidArgument, type LemurError } from '../../errors.js';
import { closestName } from '../../known-options.js';
import { stepPacer } from '../../pacer.js';
import type { Scalar } from './column.js';
import { describeValue, isPlainObject, MOST_LEVELS, memberOf } from './describe-value.js';
import { all, any, type Evaluate, not, testOf } from './filter-evaluation.js';
import { wellFormed } from './metadata.js';
import type { Columns } from './open-columns.js';
import { ANYTHING, inRange, oneOf } from './value-test.js';

/** A filter that has been checked. */
export interface CompiledFilter {
  /** The paths that it asks for, each once, ascending. */
  readonly paths: readonly string[];
  /**
   * For each of a segment's documents 1 where it passes, else 0; an array of the caller's. Reads
   * the columns of `paths` and rejects as reading them does.
   */
  evaluate(columns: Columns, signal?: AbortSignal | undefined): Promise<Uint8Array>;
}

/**
 * Conditions of a filter, every one of which is asked of every document: fields and their
 * operators, on all levels, and filters of `$and` and `$or`.
 */
export const MOST_CONDITIONS = 4096;
/** Values in all `$in` and `$nin` of a filter together. */
export const MOST_FILTER_VALUES = 50_000;

/** A path's values are compared by these. */
const OPERATORS: readonly string[] = [
  '$eq',
  '$ne',
  '$gt',
  '$gte',
  '$lt',
  '$lte',
  '$in',
  '$nin',
  '$exists',
  '$not',
];

/** Where a part of a filter stands, and the counts of what may still come. */
interface Place {
  readonly where: string;
  /** Levels of filters and $not around it. */
  readonly level: number;
  readonly paths: Set<string>;
  /** Conditions and values that may still come, of all parts of the filter. */
  readonly left: { conditions: number; values: number };
}

/**
 * Checks a filter (a `Filter`, which says what it means) and makes it ready for any number of
 * segments. `where` names it in errors. Raises 'invalid-argument', naming the place within the
 * filter, for operators that there are not, operands of another type (undefined and NaN among
 * them), objects and arrays as values, more than 32 levels of filters within filters, more than
 * 4,096 conditions, and more than 50,000 values of `$in` and `$nin`.
 */
export function compileFilter(filter: unknown, where = 'filter'): CompiledFilter {
  const paths = new Set<string>();
  const left = { conditions: MOST_CONDITIONS, values: MOST_FILTER_VALUES };
  const evaluate = filterOf(filter, { where, level: 1, paths, left });
  const ascending = [...paths].sort();
  return {
    paths: ascending,
    async evaluate(columns, signal) {
      const read = await Promise.all(
        ascending.map(async (path) => [path, await columns.column(path, signal)] as const),
      );
      return evaluate({ columns: new Map(read), rows: columns.rows, step: stepPacer(signal) });
    },
  };
}

function filterOf(filter: unknown, place: Place): Evaluate {
  if (!isPlainObject(filter))
    throw invalid(place, `expected an object such as { lang: 'en' }, got ${describeValue(filter)}`);
  if (place.level > MOST_LEVELS)
    throw invalid(place, `more than ${MOST_LEVELS} levels of filters within filters`);
  const keys = Object.keys(filter);
  counted(keys.length - 1, place); // it was counted itself where it stands
  const parts = keys.map((key): Evaluate => {
    const value = filter[key];
    const at = { ...place, where: memberOf(place.where, key) };
    if (key === '$and') return all(filtersOf(value, at));
    if (key === '$or') return any(filtersOf(value, at));
    if (key === '$not') return not(filterOf(value, deeper(at)));
    if (key.startsWith('$'))
      throw invalid(
        at,
        `no operator '${key}' of filters; there are $and, $or and $not, and paths begin without $`,
      );
    const missing = ['$and', '$or', '$not'].find((operator) => operator === `$${key}`);
    if (missing && isOperand(value))
      throw invalid(at, `operators begin with $: { ${describeValue(missing)}: ... }`);
    place.paths.add(key);
    return conditionOf(key, value, at);
  });
  return all(parts);
}

/** Whether it is what an operator of filters takes, rather than a value that documents may have. */
function isOperand(value: unknown): boolean {
  return isPlainObject(value) || (Array.isArray(value) && value.some(isPlainObject));
}

function filtersOf(value: unknown, place: Place): Evaluate[] {
  if (!Array.isArray(value))
    throw invalid(place, `expected an array of filters, got ${describeValue(value)}`);
  counted(value.length, place);
  return Array.from(value, (filter, i) =>
    filterOf(filter, deeper({ ...place, where: `${place.where}[${i}]` })),
  );
}

function conditionOf(path: string, condition: unknown, place: Place): Evaluate {
  if (Array.isArray(condition))
    throw invalid(
      place,
      'got an array; { $in: [...] } passes documents that have one of several values',
    );
  if (!isPlainObject(condition)) return testOf(path, oneOf([scalar(condition, place)]));
  const keys = Object.keys(condition);
  if (keys.length === 0)
    throw invalid(
      place,
      'an object without operators; to ask whether there is anything, write { $exists: true }',
    );
  const meant = keys.map((key) => `$${key.toLowerCase()}`).find((name) => OPERATORS.includes(name));
  if (meant !== undefined && !keys.some((key) => key.startsWith('$')))
    throw invalid(
      place,
      `operators begin with $: { ${describeValue(path)}: { ${describeValue(meant)}: ... } }`,
    );
  if (!keys.some((key) => key.startsWith('$'))) {
    const dotted = describeValue(`${path}.${keys[0]}`);
    throw invalid(
      place,
      `got a nested object; name what is in it by a path with dots: { ${dotted}: ... }`,
    );
  }
  return operatorsOf(path, condition, place);
}

function operatorsOf(path: string, operators: Record<string, unknown>, place: Place): Evaluate {
  const keys = Object.keys(operators);
  counted(keys.length - 1, place); // it was counted itself where it stands
  return all(
    keys.map((key) =>
      operatorOf(path, key, operators[key], { ...place, where: memberOf(place.where, key) }),
    ),
  );
}

function operatorOf(path: string, operator: string, operand: unknown, place: Place): Evaluate {
  switch (operator) {
    case '$eq':
      return testOf(path, oneOf([scalar(operand, place)]));
    case '$ne':
      return not(testOf(path, oneOf([scalar(operand, place)])));
    case '$in':
      return testOf(path, oneOf(scalars(operand, place)));
    case '$nin':
      return not(testOf(path, oneOf(scalars(operand, place))));
    case '$gt':
    case '$gte':
    case '$lt':
    case '$lte':
      return testOf(path, inRange(operator, rangeEnd(operand, place)));
    case '$exists': {
      if (typeof operand !== 'boolean')
        throw invalid(place, `expected true or false, got ${describeValue(operand)}`);
      const something = testOf(path, ANYTHING);
      return operand ? something : not(something);
    }
    case '$not': {
      if (!isPlainObject(operand) || Object.keys(operand).length === 0) {
        const expected = 'expected an object of operators such as { $gte: 1 }';
        throw invalid(place, `${expected}, got ${describeValue(operand)}; $ne excludes a value`);
      }
      if (place.level > MOST_LEVELS)
        throw invalid(place, `more than ${MOST_LEVELS} levels of filters within filters`);
      return not(operatorsOf(path, operand, deeper(place)));
    }
    default: {
      const known = `${OPERATORS.slice(0, -1).join(', ')} and ${OPERATORS.at(-1)}`;
      throw invalid(place, `no such operator; there are ${known}${hintFor(operator)}`);
    }
  }
}

/** The operator that a name which is none was most likely to be. */
function hintFor(name: string): string {
  const closest =
    OPERATORS.find((operator) => operator.slice(1) === name.toLowerCase()) ??
    closestName(name, OPERATORS, 0.4);
  return closest === undefined ? '' : `; did you mean ${closest}?`;
}

function scalar(value: unknown, place: Place): Scalar {
  if (typeof value === 'string') return wellFormed(value); // as metadata has it
  if (isScalar(value)) return value;
  throw invalid(place, `expected a string, number, boolean or null, got ${describeValue(value)}`);
}

function isScalar(value: unknown): value is Scalar {
  return (
    value === null ||
    typeof value === 'boolean' ||
    (typeof value === 'number' && !Number.isNaN(value))
  );
}

function scalars(value: unknown, place: Place): Scalar[] {
  if (!Array.isArray(value))
    throw invalid(place, `expected an array of values, got ${describeValue(value)}`);
  place.left.values -= value.length;
  if (place.left.values < 0) {
    const most = `the ${MOST_FILTER_VALUES} that a filter may have in all $in and $nin`;
    throw invalid(place, `${value.length} values here, and more than ${most}`);
  }
  const found = new Array<Scalar>(value.length);
  for (let i = 0; i < found.length; i++) {
    const item: unknown = value[i];
    // the place is spelled out where something is wrong with it
    found[i] =
      typeof item === 'string'
        ? wellFormed(item)
        : isScalar(item)
          ? item
          : scalar(item, { ...place, where: `${place.where}[${i}]` });
  }
  return found;
}

/** Counts conditions, before they are looked at. */
function counted(conditions: number, place: Place): void {
  place.left.conditions -= conditions;
  if (place.left.conditions >= 0) return;
  const most = `the ${MOST_CONDITIONS} that a filter may have in all`;
  const advice = '{ $in: [...] } asks for one of many values';
  throw invalid(place, `${conditions} conditions here, and more than ${most}; ${advice}`);
}

function rangeEnd(value: unknown, place: Place): number | string {
  if (typeof value === 'string') return wellFormed(value);
  if (typeof value === 'number' && !Number.isNaN(value)) return value;
  throw invalid(place, `expected a number or a string, got ${describeValue(value)}`);
}

function deeper(place: Place): Place {
  return { ...place, level: place.level + 1 };
}

function invalid({ where }: Place, problem: string): LemurError {
  return invalidArgument(where, problem);
}
