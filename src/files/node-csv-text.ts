import { stepPacer } from '../pacer.js';
import { readCsv } from './node-vendor.js';

/**
 * A table as a text with its lines: a line a row, its cells behind the names that the first row
 * gives them, and empty lines where a row has several, or none.
 */
export async function csvText(csv: string): Promise<string> {
  const lines: string[] = [];
  let names: readonly string[] | undefined;
  let from = 0;
  const put = (cells: readonly string[], end: number): void => {
    const row = csv.slice(from, end);
    from = end;
    const own = cells.map((cell) => cell.replace(/\s+/g, ' ').trim());
    const named = own.map((cell, i) => (cell && names?.[i] ? `${names[i]}: ${cell}` : cell));
    names ??= own;
    const before = newlines(/^\s*/.exec(row)?.[0] ?? '');
    for (let i = 0; i < before; i++) lines.push('');
    lines.push(named.filter(Boolean).join('; '));
    const all = newlines(row);
    for (let i = before + 1; i < all; i++) lines.push('');
  };
  await readCsv(csv, put, stepPacer());
  return `${lines.join('\n').trimEnd()}\n`;
}

function newlines(text: string): number {
  return text.split('\n').length - 1;
}
