/**
 * Rows of cells as aligned columns: the first to the left, the others to the right; the first row
 * is the head.
 */
export function alignColumns(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]),
      )
      .join('  ');
  const [head, ...body] = rows.map(line);
  return [head, '-'.repeat(head.length), ...body].join('\n');
}

/** Kept: to make one takes as long as to read a small file. */
const WHOLE = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** 1234567 as `1,234,567`. */
export function grouped(n: number): string {
  return WHOLE.format(n);
}

/** `n` of something, in the plural where it is due. */
export function counted(n: number, noun: string, plural = `${noun}s`): string {
  return `${grouped(n)} ${n === 1 ? noun : plural}`;
}

/** A message of the library, with its methods as the commands that they are here. */
export function inCommands(text: string): string {
  return text
    .replace(/\b(fit|tune|compact)\(\)/g, '`lemur $1`')
    .replace('compact({ keywords: true })', '`lemur compact --keywords`')
    .replace('{ force: true }', '--force')
    .replace(/^tune: /, '');
}

/** `31.2 s`, `4 min 10 s`. */
export function duration(seconds: number): string {
  if (seconds < 120) return `${seconds.toFixed(1)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

/** Bytes in millions: `80.3 MB`. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** Characters that take two columns of a terminal: Chinese, Japanese, Korean, full width, emoji. */
const WIDE =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303f\uff01-\uff60]|\p{Emoji_Presentation}/gu;
/** Those that take none. */
const NARROW = /\p{Mn}|\p{Me}|\p{Cf}/gu;

/** Columns that a line takes in a terminal, about. */
export function columnsOf(line: string): number {
  const plain = line.replace(NARROW, '');
  return [...plain].length + (plain.match(WIDE)?.length ?? 0);
}
