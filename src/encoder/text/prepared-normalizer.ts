import { type Json, stepsOf } from './tokenizer-json.js';

/** Chinese characters beyond the first plane, as a regular expression. */
export const CHINESE: string = `[${[
  [0x20000, 0x2a6df],
  [0x2a700, 0x2b73f],
  [0x2b740, 0x2b81f],
  [0x2b920, 0x2ceaf],
  [0x2f800, 0x2fa1f],
]
  .map((ends) => ends.map((code) => String.fromCodePoint(code)).join('-'))
  .join('')}]`;

/** Stand for characters that are to pass a step as they are; of a plane for private use. */
const [JOINER, DIALYTIKA_TONOS] = ['\u{10fff0}', '\u{10fff1}'];

/**
 * A tokenizer.json's normalizer with steps around those in which `@huggingface/tokenizers` (0.2)
 * differs from the Rust library:
 *
 * * Lower-casing takes every capital sigma to the same letter there; JavaScript looks at the
 *   letters around it.
 * * A BertNormalizer puts spaces around Chinese characters of all planes.
 * * A Precompiled of SentencePiece keeps U+200D, makes a space of U+061C, and composes U+0344 with
 *   nothing.
 * * U+0085 is whitespace where words are split at it.
 *
 * `lowerCase` puts a step before them where none of them lower-cases.
 */
export function preparedNormalizer(json: Json, lowerCase: boolean): unknown {
  const splits = stepsOf(json.pre_tokenizer, 'pretokenizers').some(
    ({ type }) => type === 'WhitespaceSplit',
  );
  const own = stepsOf(json.normalizer, 'normalizers');
  const lowers = own.some(
    ({ type, lowercase }) => type === 'Lowercase' || (type === 'BertNormalizer' && lowercase),
  );
  const steps = lowerCase && !lowers ? [{ type: 'Lowercase' }, ...own] : own;
  const prepared = steps.flatMap((step): Json[] => {
    switch (step.type) {
      case 'Lowercase':
        return [replace('Σ', 'σ'), step];
      case 'BertNormalizer':
        return [
          ...(step.handle_chinese_chars
            ? [{ type: 'Replace', pattern: { Regex: CHINESE }, content: SPACED }]
            : []),
          ...(step.lowercase ? [replace('Σ', 'σ')] : []),
          step,
        ];
      case 'Precompiled':
        return [
          replace('\u200d', JOINER),
          replace('\u0344', DIALYTIKA_TONOS),
          replace('\u061c', ' '),
          ...(splits ? [replace('\u0085', ' ')] : []),
          step,
          replace(JOINER, '\u200d'),
          replace(DIALYTIKA_TONOS, '\u0308\u0301'),
        ];
      default:
        return [step];
    }
  });
  return prepared.length === own.length
    ? json.normalizer
    : { type: 'Sequence', normalizers: prepared };
}

/** What was found, with a space before it and behind it. */
export const SPACED = ' $& ';

function replace(found: string, content: string): Json {
  return { type: 'Replace', pattern: { String: found }, content };
}
