/** A parsed tokenizer.json, or a part of one. */
export type Json = Readonly<Record<string, unknown>>;

/**
 * A part's steps: those of a Sequence (key `normalizers` or `pretokenizers`) and of the sequences
 * in it; none for null.
 */
export function stepsOf(part: unknown, key: 'normalizers' | 'pretokenizers'): Json[] {
  if (part === null || part === undefined) return [];
  const step = part as Json;
  return step.type === 'Sequence'
    ? ((step[key] ?? []) as unknown[]).flatMap((inner) => stepsOf(inner, key))
    : [step];
}

/** What the library takes a model for: early files do not name its type. */
export function modelKind(model: unknown): 'WordPiece' | 'BPE' | 'Unigram' | undefined {
  const { type, vocab, ...rest } = (model ?? {}) as Json;
  if (type === 'WordPiece' || type === 'BPE' || type === 'Unigram') return type;
  if (!vocab) return undefined;
  if (Array.isArray(vocab)) return 'Unigram';
  if (!('continuing_subword_prefix' in rest && 'unk_token' in rest)) return undefined;
  return 'merges' in rest ? 'BPE' : 'WordPiece';
}

/** A pre-tokenizer that splits a text and loses nothing of it. */
export function losesNothing({ type, invert, behavior }: Json): boolean {
  if (type === 'Split') return !invert && String(behavior).toLowerCase() !== 'removed';
  return type === 'Digits' || type === 'Punctuation';
}

/**
 * A BPE model whose tokens are parts of the text and nothing else, as long as the text's own
 * symbols are in the vocabulary: what is merged and what comes of it are tokens too, and no suffix
 * is put to them.
 */
export function isPlainBpe({
  vocab,
  merges,
  end_of_word_suffix,
  continuing_subword_suffix,
}: Json): boolean {
  if (end_of_word_suffix || continuing_subword_suffix || !Array.isArray(merges)) return false;
  return merges.every((merge: string | readonly string[]) => {
    const [left, right] = typeof merge === 'string' ? merge.split(' ', 2) : merge;
    return [left, right, left + right].every((token) => Object.hasOwn(vocab as object, token));
  });
}
