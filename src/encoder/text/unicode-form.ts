import { type NormalizedText, type Rewriting, rewriting } from './normalized-text.js';

export type UnicodeForm = 'NFC' | 'NFD' | 'NFKC' | 'NFKD';

/**
 * Runs that normalise by themselves: ASCII begins a character and composes with nothing before it.
 */
const RUNS = /\p{ASCII}?\P{ASCII}+|\p{ASCII}+(?!\P{ASCII})/gu;
/** The same around wave dashes, which SentencePiece's own NFKC leaves alone. */
const RUNS_AND_WAVE_DASHES = /～|\p{ASCII}?[^\p{ASCII}～]+|\p{ASCII}+(?![^\p{ASCII}～])/gu;

/**
 * A text in a normal form. What is composed or put in another order comes from all the characters
 * of which it is made.
 */
export function inUnicodeForm(
  source: NormalizedText,
  form: UnicodeForm,
  keepWaveDashes = false,
): NormalizedText {
  const { text } = source;
  if (text.normalize(form) === text) return source;
  const out = rewriting(source);
  for (const { 0: run, index } of text.matchAll(keepWaveDashes ? RUNS_AND_WAVE_DASHES : RUNS)) {
    if (keepWaveDashes && run === '～') out.keep(index, index + 1);
    else if (!putByCharacters(out, run, index, form)) putByClusters(out, run, index, form);
  }
  return out.done();
}

/** False, and nothing is written, if the characters do not normalise one by one. */
function putByCharacters(out: Rewriting, run: string, at: number, form: UnicodeForm): boolean {
  const characters = [...run];
  const normalized = characters.map((character) => character.normalize(form));
  if (normalized.join('') !== run.normalize(form)) return false;
  let from = at;
  for (const [i, { length }] of characters.entries()) {
    out.put(normalized[i], from, from + length);
    from += length;
  }
  return true;
}

function putByClusters(out: Rewriting, run: string, at: number, form: UnicodeForm): void {
  const flush = (from: number, to: number): void => {
    const cluster = run.slice(from, to);
    if (!putByCharacters(out, cluster, at + from, form))
      out.put(cluster.normalize(form), at + from, at + to);
  };
  let from = 0;
  let end = 0;
  for (const character of run) {
    if (end > from && !goesOn(run, from, end, character, form)) {
      flush(from, end);
      from = end;
    }
    end += character.length;
  }
  flush(from, end);
}

/**
 * Whether a character is a mark (or becomes one), or composes with what comes before it as the
 * letters of Hangul do.
 */
function goesOn(
  run: string,
  from: number,
  to: number,
  character: string,
  form: UnicodeForm,
): boolean {
  if (/^\p{M}/u.test(character.normalize('NFKD'))) return true;
  const before = run.slice(from, to);
  return (
    (before + character).normalize(form) !== before.normalize(form) + character.normalize(form)
  );
}
