import type { Hit } from '../collection/options/results.js';
import { highlight, strongestPlace } from '../collection/query/highlight.js';
import { type Answer, placeOf } from './answer.js';
import type { FindFile } from './file-place.js';

/** UTF-16 code units of a text that are shown. */
const SNIPPET = 240;

interface JsonOptions {
  /** Whole texts, instead of the part that matched. */
  readonly text: boolean;
  readonly evidence: boolean;
  readonly fileOf: FindFile;
}

/** An answer for programs: each hit with its place, and with the part of its text that matched. */
export function answerJson(answer: Answer, options: JsonOptions): unknown {
  const { question, hits } = answer;
  return { ...answer, hits: hits.map((hit) => hitJson(hit, question, options)) };
}

function hitJson(hit: Hit, query: string | undefined, options: JsonOptions): unknown {
  const { text, evidence, passages, ...rest } = hit;
  const shown = text ? highlight(hit, { length: SNIPPET, open: '', query }) : undefined;
  const best = shown && strongestPlace(shown.parts, shown.span[0]);
  return {
    ...rest,
    ...(hit.passage && { place: placeOf(hit, options.fileOf, best) }),
    ...(shown && (options.text ? { text } : { snippet: shown.text })),
    ...(options.evidence && evidence && { evidence }),
    ...(passages && { passages: passages.map((one) => hitJson(one as Hit, query, options)) }),
  };
}
