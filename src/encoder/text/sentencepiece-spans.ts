import { mappedNormalizer } from './mapped-normalizer.js';
import { type NormalizedText, replaceMatches, rewriting } from './normalized-text.js';
import { type SpanRules, verbatimLength } from './span-rules.js';
import { isPlainBpe, type Json, losesNothing, modelKind, stepsOf } from './tokenizer-json.js';

/** What SentencePiece writes for a space: U+2581. */
const SPACE = '▁';

/**
 * The rules of SentencePiece's tokenizers: Unigram, or BPE that spells what it does not know as
 * bytes or as its unknown token; spaces become ▁ by the pre-tokenizer Metaspace (perhaps after
 * WhitespaceSplit) or by the normalizer. Undefined for any other tokenizer.
 */
export function sentencePieceRules(json: Json): SpanRules | undefined {
  const putSpaces = spacing(json.pre_tokenizer);
  const spell = spelling(json);
  const normalize = mappedNormalizer(json.normalizer);
  if (!putSpaces || !spell || !normalize) return undefined;
  return {
    normalize,
    words(stretch, section) {
      const word = spell(putSpaces(stretch, section));
      return [{ ...word, isSpace: (unit) => /[\s▁]/.test(word.text[unit]) }];
    },
    pieceLength: verbatimLength,
  };
}

/**
 * What the pre-tokenizer makes of a stretch, joined: models read the parts one by one, so that
 * their tokens are the same.
 */
function spacing(
  preTokenizer: unknown,
): ((stretch: NormalizedText, section: number) => NormalizedText) | undefined {
  const steps = stepsOf(preTokenizer, 'pretokenizers');
  const isSplit = steps[0]?.type === 'WhitespaceSplit';
  if (isSplit) steps.shift();
  const metaspace = steps[0]?.type === 'Metaspace' ? steps.shift() : undefined;
  if (!steps.every(losesNothing)) return undefined;
  if (!metaspace && !isSplit) return (stretch) => stretch;
  const { replacement, str_rep: written, prepend_scheme } = metaspace ?? {};
  if ((replacement ?? SPACE) !== SPACE || (written || SPACE) !== SPACE) return undefined;
  const scheme = metaspace ? (prepend_scheme ?? 'always') : 'never';
  return (stretch, section) => {
    const isPrepended = scheme === 'always' || (scheme === 'first' && section === 0);
    const out = rewriting(stretch);
    let end = 0;
    for (const { 0: word, index } of stretch.text.matchAll(isSplit ? /\S+/g : /.+/gs)) {
      // the spaces that a word was split off at are left out: the one that is put there stands for
      // them
      if (isPrepended && !/^[ ▁]/.test(word)) out.put(SPACE, end, index);
      end = index + word.length;
      out.keep(index, end);
    }
    return metaspace ? replaceMatches(out.done(), / /g, SPACE) : out.done();
  };
}

/**
 * How the model's tokens spell a text. Unigram's tokens are its parts, also those that the
 * vocabulary does not have.
 */
function spelling({
  model,
  added_tokens,
}: Json): ((text: NormalizedText) => NormalizedText) | undefined {
  const kind = modelKind(model);
  if (kind === 'Unigram') return (text) => text;
  if (kind !== 'BPE' || !isPlainBpe(model as Json)) return undefined;
  const { vocab, unk_token: unknown, byte_fallback, fuse_unk } = model as Json;
  const added = new Set(
    ((added_tokens ?? []) as { content: string }[]).map(({ content }) => content),
  );
  const has = (token: string): boolean => added.has(token) || Object.hasOwn(vocab as object, token);
  const byBytes = Boolean(byte_fallback);
  if (byBytes ? !BYTES.every(has) : !(typeof unknown === 'string' && has(unknown)))
    return undefined;
  return (text) => {
    const out = rewriting(text);
    let from = 0;
    /** Where the unknown characters begin that are one token together. */
    let unknownFrom = -1;
    const flush = (): void => {
      if (unknownFrom < 0) return;
      const run = text.text.slice(unknownFrom, from);
      const shown = run.trim() || run;
      const start = unknownFrom + run.indexOf(shown);
      out.put(unknown as string, start, start + shown.length);
      unknownFrom = -1;
    };
    for (const character of text.text) {
      const to = from + character.length;
      const isKnown = has(character);
      if (isKnown || byBytes || !fuse_unk) flush();
      if (isKnown) out.keep(from, to);
      else if (byBytes)
        out.put(Array.from(utf8.encode(character), (byte) => BYTES[byte]).join(''), from, to);
      else if (unknownFrom < 0) unknownFrom = from;
      from = to;
    }
    flush();
    return out.done();
  };
}

/** The tokens of bytes, of characters that the vocabulary does not have. */
const BYTES: readonly string[] = Array.from(
  { length: 256 },
  (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`,
);

const utf8 = new TextEncoder();
