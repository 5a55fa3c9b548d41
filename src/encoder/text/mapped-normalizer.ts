import { bertNormalization, bertNormalizer } from './bert-normalizer.js';
import { asItIs, type NormalizedText, replaceMatches, rewriting } from './normalized-text.js';
import { CHINESE, SPACED } from './prepared-normalizer.js';
import { type Json, stepsOf } from './tokenizer-json.js';
import { inUnicodeForm } from './unicode-form.js';

type Step = (source: NormalizedText) => NormalizedText;

/**
 * A function that normalises as `@huggingface/tokenizers` does and says where each code unit comes
 * from, for what a tokenizer.json has as its normalizer: null, or any sequence of BERT's, Unicode's
 * forms, Lowercase, Strip, StripAccents, Replace, Prepend and SentencePiece's Precompiled.
 * Undefined where there is another one among them.
 */
export function mappedNormalizer(
  json: unknown,
): ((original: string) => NormalizedText) | undefined {
  const steps = stepsOf(json, 'normalizers').map(stepOf);
  if (!steps.every((step) => step !== undefined)) return undefined;
  return (original) => steps.reduce((text, step) => step(text), asItIs(original));
}

function stepOf(json: Json): Step | undefined {
  switch (json.type) {
    case 'NFC':
    case 'NFD':
    case 'NFKC':
    case 'NFKD': {
      const { type } = json;
      return (source) => inUnicodeForm(source, type);
    }
    case 'BertNormalizer': {
      const rules = bertNormalization(json);
      return rules && bertNormalizer(rules);
    }
    case 'Lowercase':
      return lowercase;
    case 'Strip':
      return (source) => strip(source, Boolean(json.strip_left), Boolean(json.strip_right));
    case 'StripAccents':
      return stripAccents;
    case 'Replace':
      return replace(json);
    case 'Prepend':
      return typeof json.prepend === 'string' ? prepend(json.prepend) : undefined;
    case 'Precompiled':
      return precompiled;
    default:
      return undefined;
  }
}

/**
 * A sigma is lower-cased by its neighbours, but always to one code unit. So lengths are found
 * character by character, the text as a whole.
 */
function lowercase(source: NormalizedText): NormalizedText {
  const lower = source.text.toLowerCase();
  if (lower === source.text) return source;
  const out = rewriting(source);
  let from = 0;
  let written = 0;
  for (const character of source.text) {
    const end = written + character.toLowerCase().length;
    out.put(lower.slice(written, end), from, from + character.length);
    from += character.length;
    written = end;
  }
  return out.done();
}

function strip(source: NormalizedText, left: boolean, right: boolean): NormalizedText {
  const { text } = source;
  const to = right ? text.trimEnd().length : text.length;
  const from = left ? Math.min(to, text.length - text.trimStart().length) : 0;
  const out = rewriting(source);
  out.keep(from, to);
  return out.done();
}

function stripAccents(source: NormalizedText): NormalizedText {
  const out = rewriting(source);
  let from = 0;
  for (const character of source.text) {
    const to = from + character.length;
    if (/\p{M}/u.test(character)) out.absorb(from, to);
    else out.keep(from, to);
    from = to;
  }
  return out.done();
}

function replace({ pattern, content = '' }: Json): Step | undefined {
  if (content === SPACED && (pattern as Json | undefined)?.Regex === CHINESE) return spaceChinese;
  const found = plainPattern((pattern ?? {}) as Json);
  // the library's replacement has patterns of its own
  if (!found || typeof content !== 'string' || content.includes('$')) return undefined;
  return (source) => replaceMatches(source, found, content);
}

function spaceChinese(source: NormalizedText): NormalizedText {
  const out = rewriting(source);
  let at = 0;
  for (const { 0: character, index } of source.text.matchAll(new RegExp(CHINESE, 'gu'))) {
    out.keep(at, index);
    at = index + character.length;
    out.put(` ${character} `, index, at);
  }
  if (at === 0) return source;
  out.keep(at, source.text.length);
  return out.done();
}

/**
 * Characters, each perhaps a number of times: these patterns mean the same to the library, which
 * translates them from Oniguruma.
 */
const PLAIN = /^(?:(?:[^\\^$.*+?()[\]{}|]|\\s)(?:\{[1-9]\d*(?:,\d*)?\}|\+)?)+$/;

function plainPattern({ Regex: regex, String: string }: Json): RegExp | undefined {
  if (regex === undefined) {
    return typeof string === 'string' && string !== ''
      ? new RegExp(string.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), 'gu')
      : undefined;
  }
  return typeof regex === 'string' && PLAIN.test(regex)
    ? new RegExp(regex.replaceAll('\\s', '\\p{White_Space}'), 'gu')
    : undefined;
}

function prepend(prefix: string): Step {
  return (source) => {
    const out = rewriting(source);
    out.put(prefix, 0, 0);
    out.keep(0, source.text.length);
    return out.done();
  };
}

/** Control characters that SentencePiece leaves out, and what becomes a space. */
const LEFT_OUT = /(?![\0\t\n\f\r\u0080-\u008e\u0090-\u009e])\p{Cc}/gu;
const SPACES =
  /[\t\n\f\r\u00a0\u1680\u2000-\u200f\u2028\u2029\u202f\u205f\u2581\u3000\ufeff\ufffd]/g;

/**
 * The library does not read the map that a Precompiled brings; it does for every one what this
 * does.
 */
function precompiled(source: NormalizedText): NormalizedText {
  return inUnicodeForm(
    replaceMatches(replaceMatches(source, LEFT_OUT, ''), SPACES, ' '),
    'NFKC',
    true,
  );
}
