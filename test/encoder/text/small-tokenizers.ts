type Json = Record<string, unknown>;

export const GPT2_SYMBOLS: readonly string[] = (() => {
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) =>
    String.fromCharCode(
      (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174 ? byte : next++,
    ),
  );
})();

const ADDED = ['<s>', '<pad>', '</s>', '<unk>', '<mask>'].map((content, id) => ({
  id,
  content,
  special: true,
  normalized: false,
  lstrip: content === '<mask>',
}));

const around: Json = {
  type: 'RobertaProcessing',
  sep: ['</s>', 2],
  cls: ['<s>', 0],
  trim_offsets: true,
  add_prefix_space: false,
};

const tokenizer = (parts: Json): Json => ({
  normalizer: null,
  pre_tokenizer: null,
  post_processor: around,
  decoder: null,
  added_tokens: ADDED,
  ...parts,
});

const idsOf = (pieces: readonly string[]): Record<string, number> =>
  Object.fromEntries(
    [...new Set([...ADDED.map(({ content }) => content), ...pieces])].map((piece, id) => [
      piece,
      id,
    ]),
  );

/** Merges such as 'a b', with what comes of them after the symbols in the vocabulary. */
const merging = (symbols: readonly string[], merges: readonly string[]): Json => ({
  vocab: idsOf([...symbols, ...merges.map((merge) => merge.replace(' ', ''))]),
  merges,
});

/** As RoBERTa has it. */
export function byteLevelBpe(
  parts: Json = {},
  merges: readonly string[] = BYTE_MERGES,
  model: Json = {},
): Json {
  return tokenizer({
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true },
    model: {
      type: 'BPE',
      ...merging(GPT2_SYMBOLS, merges),
      unk_token: null,
      fuse_unk: false,
      end_of_word_suffix: '',
      ...model,
    },
    ...parts,
  });
}

const BYTE_MERGES = [
  ...[
    'h e',
    't he',
    'Ġ the',
    'Ġ t',
    'Ġ Ġ',
    'ĠĠ ĠĠ',
    'c a',
    'ca f',
    'Ġ caf',
    'Ġ A',
    'Ġ B',
    'i n',
    'e r',
    'x x',
    'xx xx',
    'Ċ Ċ',
    "' t",
  ],
  ...['Ã ©', 'ð Ł', 'ðŁ Ļ', 'Ġ ä', 'ä ¸', 'â Ģ', 'âĢ į', 'Ì ģ', 'Ġ Ì', 'Â ł', 'ï ¼'],
];

/** As XLM-R has it. */
export function unigram(
  parts: Json = {},
  pieces: readonly (readonly [string, number])[] = PIECES,
): Json {
  const special = ['<s>', '<pad>', '</s>', '<unk>'].map((piece) => [piece, 0] as const);
  return tokenizer({
    normalizer: XLM_R,
    pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
    model: { type: 'Unigram', unk_id: 3, vocab: [...special, ...pieces] },
    added_tokens: ADDED.map((token) =>
      token.content === '<mask>' ? { ...token, id: special.length + pieces.length } : token,
    ),
    ...parts,
  });
}

/** Precompiled, whose map the library does not read, and runs of spaces made one. */
export const XLM_R: Json = {
  type: 'Sequence',
  normalizers: [
    { type: 'Precompiled', precompiled_charsmap: '' },
    { type: 'Replace', pattern: { Regex: ' {2,}' }, content: ' ' },
  ],
};

export const LETTERS: readonly string[] = [..."abcdefghijklmnopqrstuvwxyzACDEFT0125,.?!'[]<>#"];

const PIECES: readonly (readonly [string, number])[] = [
  ...['▁', ...LETTERS].map((piece) => [piece, -6] as const),
  ...[
    '▁the',
    '▁caf',
    'café',
    '▁A',
    'fi',
    '▁fi',
    'ne',
    '中',
    'é',
    'ガ',
    '한국',
    'σ',
    '\u0301',
    'un',
    'able',
    'in',
  ].map((piece) => [piece, -4] as const),
];

/** As Llama has it: no pre-tokenizer, one long word. */
export function sentencePieceBpe(
  parts: Json = {},
  model: Json = {},
  symbols: readonly string[] = ['▁', 'é', '中', ...LETTERS],
): Json {
  const bytes = Array.from(
    { length: 256 },
    (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`,
  );
  return tokenizer({
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'Prepend', prepend: '▁' },
        { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
      ],
    },
    model: {
      type: 'BPE',
      ...merging(
        [...bytes, ...symbols],
        ['▁ ▁', '▁▁ ▁▁', '▁ t', 'h e', '▁t he', 'c a', 'ca f', 'f é', 'i n'],
      ),
      unk_token: '<unk>',
      fuse_unk: true,
      byte_fallback: true,
      ...model,
    },
    ...parts,
  });
}
