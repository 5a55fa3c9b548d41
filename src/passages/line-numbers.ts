/** Numbers of a text's lines, for places whose starts ascend. */
export class LineNumbers {
  readonly #text: string;
  #at = 0;
  #line = 1;
  /** Whether nothing has been asked for. */
  isNew = true;

  constructor(text: string) {
    this.#text = text;
  }

  /** First and last line of what stands at a place, spaces around it left out. */
  of([start]: readonly [number, number], own: string): [first: number, last: number] {
    this.isNew = false;
    this.#line += newlines(this.#text, this.#at, start);
    this.#at = start;
    const begin = own.length - own.trimStart().length;
    const end = own.trimEnd().length;
    if (end <= begin) return [this.#line, this.#line];
    const first = this.#line + newlines(own, 0, begin);
    return [first, first + newlines(own, begin, end)];
  }
}

function newlines(text: string, from: number, to: number): number {
  // no further than there: behind it there may be none for long
  const part = text.slice(from, to);
  let count = 0;
  for (let at = part.indexOf('\n'); at >= 0; at = part.indexOf('\n', at + 1)) count++;
  return count;
}
