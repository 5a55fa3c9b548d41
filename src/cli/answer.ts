import { timed } from '../advise/latency.js';
import type { Index } from '../collection/index.js';
import type { Query, SearchOptions } from '../collection/options/options.js';
import type { Hit } from '../collection/options/results.js';
import type { SearchMethod, SearchResult } from '../collection/query/search-result.js';
import { titleOf } from './document-text.js';
import { markedSnippet } from './evidence.js';
import type { FindFile } from './file-place.js';
import { shown } from './print.js';
import { columnsOf, counted, grouped } from './text-layout.js';

/** The answer to a question. */
export interface Answer extends SearchResult {
  /** The question, or else the id of the vectors that came in its place. */
  question?: string;
  query?: string;
  /** Milliseconds, the encoding of the question included. */
  ms: number;
}

/** Searches, and says how long it took. */
export async function ask(
  index: Index,
  asked: { question: string } | { query: string; tokens: Query },
  options: SearchOptions,
): Promise<Answer> {
  const { value, ms } = await timed(() =>
    index.search('question' in asked ? asked.question : asked.tokens, options),
  );
  return {
    ...('question' in asked ? { question: asked.question } : { query: asked.query }),
    ...value,
    ms,
  };
}

/** Columns before what is shown of a hit. */
const INDENT = 13;
/** Of a title, or of a text, at least. */
const LEAST_COLUMNS = 20;

/** For people: two lines a hit, matched words marked where there is evidence. */
export function formatAnswer(
  { question, query, hits, how, ms }: Answer,
  columns: number = 80,
  fileOf: FindFile = () => undefined,
): string {
  const found = foundBy(how, hits.some(({ passage }) => passage) ? 'passage' : 'document');
  const lines = [`${shown(question ?? `query ${query}`)}   (${ms.toFixed(1)} ms, ${found})`];
  hits.forEach((hit, i) => {
    const start = `${String(i + 1).padStart(3)}  ${hit.score.toFixed(3).padStart(6)}  `;
    const [first, ...others] = hitLines(hit, question ?? '', columns - INDENT, fileOf);
    lines.push(start + first, ...others.map((line) => ' '.repeat(INDENT) + line));
  });
  if (hits.length === 0) lines.push('  nothing found');
  return lines.join('\n');
}

/** What was looked at, of which things. */
function foundBy(
  { method, mode, candidates, passing, documents }: SearchMethod,
  noun: string,
): string {
  const among =
    passing < documents
      ? `${grouped(passing)} of ${counted(documents, noun)} that pass`
      : counted(documents, noun);
  if (mode === 'keywords') return `${counted(candidates, noun)} with a word of it among ${among}`;
  const scored =
    method === 'exact'
      ? `exact MaxSim of ${among}`
      : `exact MaxSim of ${counted(candidates, 'candidate')} among ${among}`;
  return mode === 'hybrid' ? `keywords and ${scored}` : scored;
}

/** What is shown of a hit, of so many columns. */
function hitLines(hit: Hit, question: string, columns: number, fileOf: FindFile): string[] {
  const { id, text = '', metadata, evidence = [], passage, parts } = hit;
  const names = parts !== undefined;
  if (text === '') return [shown(id)];
  const { title, from } = titleOf(text, metadata);
  const room = { columns: Math.max(LEAST_COLUMNS, columns) };
  const { text: piece, best } = markedSnippet(text, question, evidence, {
    ...{ ...room, names },
    from: Math.max(from, passage?.context ?? 0),
  });
  if (passage) {
    const others = (hit.passages ?? []).slice(1).map((one) => placeOf(one, fileOf));
    return [placeOf(hit, fileOf, best), piece, ...alsoAt(others, columns)];
  }
  const name = shown(fileOf(hit)?.path ?? id);
  if (title === '') return [name, piece];
  const own = Math.max(LEAST_COLUMNS, columns - columnsOf(name) - 4);
  const head = markedSnippet(text, question, evidence, { to: title.length, columns: own, names });
  return [`${head.text}  [${name}]`, piece];
}

/** Further places in the same document, by their lines alone where they do not fit. */
function alsoAt(places: readonly string[], columns: number): string[] {
  if (places.length === 0) return [];
  const whole = `also ${places.join('  ')}`;
  if (columnsOf(whole) <= columns) return [whole];
  const lines = places.flatMap((place) => /:\d+$/.exec(place)?.[0] ?? []);
  return lines.length > 0 ? [`also ${lines.join('  ')}`] : [];
}

/** `path:line`, which editors open; `at`: a place of that line in the passage's text. */
export function placeOf(hit: Hit, fileOf: FindFile, at?: number): string {
  const { id, text = '', metadata, passage } = hit;
  const file = fileOf(hit);
  const path: unknown = metadata?.path;
  const name =
    file?.path ?? (typeof path === 'string' && path !== '' ? path : (passage?.source ?? id));
  if (!passage?.lines || file?.hasLines === false) return shown(name);
  const own = text.slice(passage.context ?? 0);
  const begin = (passage.context ?? 0) + own.length - own.trimStart().length;
  const line = passage.lines[0] + newlines(text.slice(begin, Math.max(begin, at ?? 0)));
  return `${shown(name)}:${line}`;
}

function newlines(text: string): number {
  return text.split('\n').length - 1;
}
