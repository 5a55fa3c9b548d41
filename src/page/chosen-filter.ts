import type { AnyFilter } from '../collection/metadata/filter.js';
import type { Field } from '../collection/query/describe-fields.js';
import type { Choice } from './state.js';

/**
 * The filter that choices make, of the fields that there are: what an address says of others, or
 * cannot be, is left out. undefined: everything passes.
 */
export function filterOf(
  fields: readonly Field[],
  choices: ReadonlyMap<string, Choice>,
): AnyFilter | undefined {
  const conditions = fields.flatMap((field) => {
    const choice = choices.get(field.path);
    const condition = choice && conditionOf(field, choice);
    return condition === undefined ? [] : [[field.path, condition] as const];
  });
  return conditions.length > 0 ? Object.fromEntries(conditions) : undefined;
}

function conditionOf(field: Field, { values, from, to }: Choice): AnyFilter[string] {
  switch (field.type) {
    case 'number': {
      const [least, most] = [numberOf(from), numberOf(to)];
      return rangeOf(least && { $gte: least.value }, most && { $lte: most.value });
    }
    case 'date': {
      const [first, last] = [dayOf(from), dayOf(to)];
      // times of the last day are behind its date
      return rangeOf(first && { $gte: isoOf(first) }, last && { $lt: isoOf(last, 1) });
    }
    case 'boolean':
      return values.length === 1 ? values[0] === 'true' : undefined;
    case 'string': {
      const chosen = values.filter((value) => field.values.includes(value));
      return chosen.length > 0 ? { $in: chosen } : undefined;
    }
  }
}

function rangeOf(from: object | undefined, to: object | undefined): AnyFilter[string] {
  return from || to ? ({ ...from, ...to } as AnyFilter[string]) : undefined;
}

function numberOf(text: string): { value: number } | undefined {
  const value = Number(text);
  return text.trim() !== '' && Number.isFinite(value) ? { value } : undefined;
}

function dayOf(text: string): Date | undefined {
  const day = new Date(text);
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(day.getTime()) ? day : undefined;
}

function isoOf(day: Date, later = 0): string {
  const moved = new Date(day);
  moved.setUTCDate(moved.getUTCDate() + later);
  return moved.toISOString().slice(0, 10);
}
