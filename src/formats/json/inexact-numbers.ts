import { excerpt, showJson } from './show-json.js';

/** A number of a JSON text that comes back as another one. */
export interface InexactNumber {
  /** Where it stands: keys joined by dots, places in arrays in brackets. */
  readonly path: string;
  /** As it is written. */
  readonly literal: string;
}

/** A part that all such numbers have: many digits, or an exponent of three. */
const SUSPECT = /\d{16}|[eE]\+?\d{3}/;
const NUMBER = /-?\d+(\.\d+)?([eE][+-]?\d+)?/y;

/**
 * The first number of a JSON text that float64 cannot hold: a whole one that would be rounded, or
 * one beyond its range. Fractions are always rounded and do not count. `text` must be valid JSON,
 * of any depth. `wanted` tells which keys of the outermost object are looked into; default: all.
 */
export function findInexactNumber(
  text: string,
  wanted: (key: string) => boolean = () => true,
): InexactNumber | undefined {
  if (!SUSPECT.test(text)) return undefined;
  /** Keys and places from the outermost value on; of a key that has not come yet ''. */
  const path: (string | number)[] = [];
  let isKey = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === '{' || char === '[') {
      path.push(char === '{' ? '' : 0);
      isKey = char === '{';
    } else if (char === '}' || char === ']') {
      path.pop();
    } else if (char === ',') {
      const last = path.pop();
      path.push(typeof last === 'number' ? last + 1 : '');
      isKey = typeof last === 'string';
    } else if (char === '"') {
      const end = endOfString(text, at);
      if (isKey) path[path.length - 1] = JSON.parse(text.slice(at, end + 1)) as string;
      isKey = false;
      at = end;
    } else if (char === '-' || (char >= '0' && char <= '9')) {
      NUMBER.lastIndex = at;
      const [literal] = NUMBER.exec(text) as RegExpExecArray;
      if (isInexact(literal) && (typeof path[0] !== 'string' || wanted(path[0])))
        return { path: pathOf(path), literal };
      at += literal.length - 1;
    }
  }
  return undefined;
}

/** The number as a problem, for messages. */
export function inexactProblem({ path, literal }: InexactNumber): string {
  const whole = Number.isFinite(Number(literal));
  const named = path === '' ? '' : `${showJson(path)} is `;
  const problem = whole
    ? 'a whole number beyond 2^53, which would be rounded'
    : 'a number beyond the range of float64';
  return `${named}${excerpt(literal)}, ${problem}`;
}

function isInexact(literal: string): boolean {
  const value = Number(literal);
  if (!Number.isFinite(value)) return true;
  // what JavaScript writes for a number has its shortest digits, which are not all of it
  return (
    /^-?\d+$/.test(literal) &&
    !Number.isSafeInteger(value) &&
    String(value) !== literal &&
    BigInt(literal) !== BigInt(value)
  );
}

/**
 * Where the string ends that begins at `at`: at the next quote with an even number of backslashes
 * before it.
 */
function endOfString(text: string, at: number): number {
  for (let end = text.indexOf('"', at + 1); ; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text[end - 1 - backslashes] === '\\') backslashes++;
    if (backslashes % 2 === 0) return end;
  }
}

function pathOf(path: readonly (string | number)[]): string {
  return path.reduce<string>(
    (all, part) =>
      typeof part === 'number' ? `${all}[${part}]` : all === '' ? part : `${all}.${part}`,
    '',
  );
}
