import { badFile, LemurError } from '../../errors.js';

const KEYS = "each of 'descr', 'fortran_order' and 'shape' once";

/** The dictionary of a .npy header. */
export interface NpyDictionary {
  readonly descr: string;
  readonly fortranOrder: boolean;
  readonly shape: number[];
}

/**
 * Reads `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }` and white space behind it;
 * the keys in any order, each once. Raises 'bad-file', and 'unsupported' for structured types.
 */
export function parseHeader(text: string, where: string): NpyDictionary {
  const reader = new DictionaryReader(text, where);
  let descr: string | undefined;
  let fortranOrder: boolean | undefined;
  let shape: number[] | undefined;
  reader.expect('{');
  while (!reader.skip('}')) {
    const key = reader.string();
    reader.expect(':');
    if (key === 'descr' && descr === undefined) descr = reader.type();
    else if (key === 'fortran_order' && fortranOrder === undefined) fortranOrder = reader.boolean();
    else if (key === 'shape' && shape === undefined) shape = reader.tuple();
    else throw reader.malformed(KEYS, `'${key}'`);
    if (!reader.skip(',') && reader.peek() !== '}') throw reader.malformed("',' or '}'");
  }
  if (reader.peek() !== '') throw reader.malformed('nothing behind the dictionary');
  if (descr === undefined || fortranOrder === undefined || shape === undefined)
    throw reader.malformed(KEYS, 'less');
  return { descr, fortranOrder, shape };
}

/** Takes values of Python's off a text, one after the other. */
class DictionaryReader {
  readonly #text: string;
  readonly #where: string;
  #at = 0;

  constructor(text: string, where: string) {
    this.#text = text;
    this.#where = where;
  }

  /** The next character that is not white space; empty at the end. */
  peek(): string {
    while (this.#at < this.#text.length && ' \t\r\n'.includes(this.#text[this.#at])) this.#at++;
    return this.#text.charAt(this.#at);
  }

  skip(char: string): boolean {
    const found = this.peek() === char;
    if (found) this.#at++;
    return found;
  }

  expect(char: string): void {
    if (!this.skip(char)) throw this.malformed(`'${char}'`);
  }

  /** A quoted string; escapes are refused, since nothing that is supported needs them. */
  string(): string {
    const quote = this.peek();
    if (quote !== "'" && quote !== '"') throw this.malformed('a quoted string');
    const end = this.#text.indexOf(quote, this.#at + 1);
    if (end < 0) throw this.malformed(`a closing ${quote}`, 'none');
    const value = this.#text.slice(this.#at + 1, end);
    if (value.includes('\\')) throw this.malformed('a string without escapes');
    this.#at = end + 1;
    return value;
  }

  type(): string {
    if (this.peek() !== '[') return this.string();
    const message = `${this.#where}: a structured type, expected plain numbers`;
    throw new LemurError('unsupported', message, { where: this.#where });
  }

  boolean(): boolean {
    this.peek();
    for (const word of ['True', 'False']) {
      if (!this.#text.startsWith(word, this.#at)) continue;
      this.#at += word.length;
      return word === 'True';
    }
    throw this.malformed('True or False');
  }

  /** `()`, `(3,)`, `(3, 4)` or `(3, 4,)`; Python 2 wrote `3L`. */
  tuple(): number[] {
    const items: number[] = [];
    this.expect('(');
    while (!this.skip(')')) {
      items.push(this.#integer());
      if (this.skip(',')) continue;
      if (this.peek() !== ')') throw this.malformed("',' or ')'");
      if (items.length === 1) throw this.malformed("',': (3) is no tuple");
    }
    return items;
  }

  #integer(): number {
    this.peek();
    const text = this.#text;
    const start = this.#at;
    while (text[this.#at] >= '0' && text[this.#at] <= '9') this.#at++;
    if (this.#at === start) throw this.malformed('a non-negative integer');
    const value = Number(text.slice(start, this.#at));
    if (!Number.isSafeInteger(value)) {
      const got = text.slice(start, Math.min(this.#at, start + 40));
      throw this.malformed('a length that a file can have', got);
    }
    if (text[this.#at] === 'L') this.#at++;
    return value;
  }

  malformed(expected: string, got?: string): LemurError {
    const at = this.#at;
    const rest = this.#text.slice(at, at + 20).trimEnd();
    const found = got ?? (at < this.#text.length ? `'${rest}'` : 'the end');
    const problem = `malformed .npy header at character ${at}: expected ${expected}, got ${found}`;
    return badFile(this.#where, problem);
  }
}
