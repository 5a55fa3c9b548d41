/**
 * Levels of objects and arrays that files of settings may have; what is deeper overflows the stack
 * of whoever walks it.
 */
export const MOST_JSON_LEVELS = 64;

/**
 * Whether a value that was parsed has no more levels of objects and arrays than these. Looks
 * without recursion.
 */
export function hasLevels(value: unknown, most: number = MOST_JSON_LEVELS): boolean {
  let level: object[] = isObject(value) ? [value] : [];
  for (let levels = 0; level.length > 0; levels++) {
    if (levels === most) return false;
    const next: object[] = [];
    for (const object of level) {
      for (const item of Object.values(object)) if (isObject(item)) next.push(item);
    }
    level = next;
  }
  return true;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
