import type { Index } from '../collection/index.js';
import type { Query, SearchOptions } from '../collection/options/options.js';
import type { SearchResult } from '../collection/query/search-result.js';
import { titleOf } from './document-text.js';
import { markedSnippet } from './evidence.js';
import { timed } from './measure.js';
import { shown } from './print.js';
import { counted, grouped, snippet } from './text-layout.js';

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

/** For people: two lines a hit, matched words marked where there is evidence. */
export function formatAnswer({ question, query, hits, how, ms }: Answer): string {
  const { method, candidates, passing, documents } = how;
  const among =
    passing < documents
      ? `${grouped(passing)} of ${counted(documents, 'document')} that pass`
      : counted(documents, 'document');
  const found =
    method === 'exact'
      ? `exact MaxSim of ${among}`
      : `exact MaxSim of ${counted(candidates, 'candidate')} among ${among}`;
  const lines = [`${shown(question ?? `query ${query}`)}   (${ms.toFixed(1)} ms, ${found})`];
  hits.forEach(({ id, score, text = '', metadata, evidence }, i) => {
    const start = `${String(i + 1).padStart(3)}  ${score.toFixed(3).padStart(6)}  `;
    if (text === '') {
      lines.push(start + shown(id));
      return;
    }
    const { title, from } = titleOf(text, metadata);
    const piece = (begin: number, to: number, length: number): string =>
      evidence
        ? markedSnippet(text, question ?? '', evidence, { from: begin, to, length })
        : shown(snippet(text.slice(begin, to), length));
    lines.push(
      `${start}${title === '' ? shown(id) : `${piece(0, title.length, 110)}  [${shown(id)}]`}`,
    );
    lines.push(`${' '.repeat(13)}${piece(from, text.length, 120)}`);
  });
  return lines.join('\n');
}
