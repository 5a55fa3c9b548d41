/**
 * What a value is, in a few words, for messages: its type, and for objects the name of their kind.
 * Works for values of other realms.
 */
export function describeKind(value: unknown): string {
  if (
    value === null ||
    value === undefined ||
    typeof value === 'boolean' ||
    typeof value === 'number'
  )
    return String(value);
  if (typeof value === 'string')
    return value.length > 40
      ? `a string of ${value.length} characters`
      : `the string ${JSON.stringify(value)}`;
  if (typeof value !== 'object') return `a ${typeof value}`;
  if (Array.isArray(value)) return 'an array';
  const kind = kindOf(value);
  return kind === 'Object' ? 'an object' : `${/^[AEIOU]/.test(kind) ? 'an' : 'a'} ${kind}`;
}

/**
 * The name that an object gives itself: 'Float32Array', 'Map', 'URL', or 'Object'; for arrays and
 * objects of other realms too.
 */
export function kindOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

/**
 * A value as it was given, where it is a short text or a number, else what it is. For what stands
 * behind 'got'. A text that reads like another value is called one.
 */
export function showValue(value: unknown): string {
  const isPlain = typeof value === 'string' && value.length <= 40 && !readsOtherwise(value);
  return isPlain ? value : describeKind(value);
}

/** Whether a text reads like a number, a flag, or nothing. */
function readsOtherwise(text: string): boolean {
  return !Number.isNaN(Number(text)) || /^\s*(true|false|null|undefined|NaN)\s*$/.test(text);
}
