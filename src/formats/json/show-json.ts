/**
 * A value that came from JSON, as messages have it: at most 60 characters of it, however long or
 * deep it is; undefined is nothing.
 */
export function showJson(value: unknown): string {
  if (value === undefined) return 'nothing';
  try {
    return excerpt(JSON.stringify(value));
  } catch {
    return 'a value of too many levels'; // more than the stack has room for
  }
}

/** The beginning of a text. */
export function excerpt(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
