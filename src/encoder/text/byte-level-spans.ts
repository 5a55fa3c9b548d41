import { mappedNormalizer } from './mapped-normalizer.js';
import { type NormalizedText, rewriting } from './normalized-text.js';
import { type SpanRules, verbatimLength, type Word } from './span-rules.js';
import { isPlainBpe, type Json, losesNothing, modelKind, stepsOf } from './tokenizer-json.js';

/**
 * The characters that GPT-2's alphabet has for bytes: printable ones of Latin-1 for themselves,
 * those after it for the rest in their order.
 */
const SYMBOLS: readonly string[] = (() => {
  const isPrintable = (byte: number): boolean =>
    (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) =>
    String.fromCharCode(isPrintable(byte) ? byte : next++),
  );
})();

/** Bytes that no UTF-8 has; a vocabulary need not have them either. */
const isUtf8 = (byte: number): boolean => byte < 0xc0 || (byte > 0xc1 && byte < 0xf5);

/**
 * The rules of byte-level BPE, as of GPT-2, RoBERTa and ModernBERT: the pre-tokenizer ByteLevel,
 * perhaps after others that lose nothing, and a vocabulary with every byte, so that the tokens are
 * the text's bytes. Undefined for any other tokenizer.
 */
export function byteLevelRules(json: Json): SpanRules | undefined {
  const splitters = stepsOf(json.pre_tokenizer, 'pretokenizers');
  const { type, add_prefix_space } = splitters.pop() ?? {};
  const prefix = Boolean(add_prefix_space);
  // a space before every part of what others have split would need their rules
  if (type !== 'ByteLevel' || !splitters.every(losesNothing) || (prefix && splitters.length > 0))
    return undefined;
  const model = json.model as Json;
  if (modelKind(model) !== 'BPE' || !isPlainBpe(model)) return undefined;
  if (
    !SYMBOLS.every((symbol, byte) => !isUtf8(byte) || Object.hasOwn(model.vocab as object, symbol))
  )
    return undefined;
  const normalize = mappedNormalizer(json.normalizer);
  return (
    normalize && {
      normalize,
      words: (stretch) => [inBytes(stretch, prefix)],
      pieceLength: verbatimLength,
    }
  );
}

/** A text as the symbols of its bytes. All bytes of a character come from the whole of it. */
function inBytes(stretch: NormalizedText, prefix: boolean): Word {
  const out = rewriting(stretch);
  const spaces: boolean[] = [];
  const put = (character: string, from: number, to: number): void => {
    const symbols = symbolsOf(character);
    const isSpace = character.trim() === '';
    out.put(symbols, from, to);
    for (let i = 0; i < symbols.length; i++) spaces.push(isSpace);
  };
  if (prefix && !stretch.text.startsWith(' ')) put(' ', 0, 0);
  let from = 0;
  for (const character of stretch.text) {
    const to = from + character.length;
    put(character, from, to);
    from = to;
  }
  return { ...out.done(), isSpace: (unit) => spaces[unit] };
}

const utf8 = new TextEncoder();

function symbolsOf(character: string): string {
  const code = character.charCodeAt(0);
  return code < 0x80
    ? SYMBOLS[code]
    : Array.from(utf8.encode(character), (byte) => SYMBOLS[byte]).join('');
}
