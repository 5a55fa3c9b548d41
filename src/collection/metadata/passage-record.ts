/** Where a passage stands in its source's text, as its record has it. */
export interface PassageRecord {
  /** [start, end) in UTF-16 code units; undefined where the source has no text. */
  span?: readonly [number, number] | undefined;
  /** First and last line, from 1 on. */
  lines?: readonly [number, number] | undefined;
  /** Characters of headings before what stands there; undefined: the text is another one. */
  context?: number | undefined;
  /** Of the last passage of a source: characters of the source's text. */
  length?: number | undefined;
}

/** Bytes of a source's id, which leave room for the number of a passage within those of an id. */
export const MOST_SOURCE_BYTES = 1012;

/** The id of a passage. Numbers begin at 1. */
export function passageId(source: string, number: number): string {
  return `${source}#${number}`;
}

/** The source's id in a passage's. */
export function sourceIdOf(id: string): string {
  return id.slice(0, id.lastIndexOf('#'));
}

export function passageNumberOf(id: string): number {
  return Number(id.slice(id.lastIndexOf('#') + 1));
}
