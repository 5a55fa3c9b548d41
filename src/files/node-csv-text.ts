import { readCsv } from './node-vendor.js';

/**
 * A table as a text with its lines: a line a row, its cells behind the names that the first row
 * gives them, and empty lines where a row has several.
 */
export function csvText(csv: string): string {
  const lines: string[] = [];
  let names: readonly string[] | undefined;
  let from = 0;
  readCsv(csv, (cells, end) => {
    const own = cells.map((cell) => cell.replace(/\s+/g, ' ').trim());
    const line = names
      ? own
          .map((cell, i) => (cell && names?.[i] ? `${names[i]}: ${cell}` : cell))
          .filter(Boolean)
          .join('; ')
      : own.filter(Boolean).join('; ');
    names ??= own;
    lines.push(line);
    const more = newlines(csv, from, end) - 1;
    for (let i = 0; i < more; i++) lines.push('');
    from = end;
  });
  return `${lines.join('\n').trimEnd()}\n`;
}

function newlines(text: string, from: number, to: number): number {
  let count = 0;
  for (let at = text.indexOf('\n', from); at >= 0 && at < to; at = text.indexOf('\n', at + 1))
    count++;
  return count;
}
