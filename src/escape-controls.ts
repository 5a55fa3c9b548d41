/**
 * What steers a terminal or hides: control characters (NUL, ESC, line ends, DEL, C1), line and
 * paragraph separators, marks and overrides of the direction of writing, byte order marks, halves
 * of a surrogate pair.
 */
const STEERING = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Bidi_Control}\ufeff]/gu;
const STEERING_IN_LINES = /(?!\n)[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Bidi_Control}\ufeff]/gu;

/**
 * A text from elsewhere as one line that any terminal shows as it is: what would steer it is
 * written `\u001b`.
 */
export function escapeControls(text: string): string {
  return text.replace(STEERING, escaped);
}

/**
 * The same of lines that were put together here, or of JSON, which stays the same JSON: line feeds
 * stay.
 */
export function escapeLines(text: string): string {
  return text.replace(STEERING_IN_LINES, escaped);
}

function escaped(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
