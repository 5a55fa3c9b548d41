import { badFile, type LemurError, unsupported } from '../../errors.js';
import { showJson } from '../../formats/json/show-json.js';
import { PUNCTUATION } from '../text/tokenizer.js';

/**
 * How a checkpoint reads its texts, as its configuration says it: in words, not in the tokenizer's
 * numbers.
 */
export interface Settings {
  readonly query: KindSettings;
  readonly document: KindSettings;
  readonly lowerCase: boolean;
  /** Whether vectors are brought to unit length. */
  readonly normalize: boolean;
}

export interface KindSettings {
  /**
   * The name of a token put behind the first one, with or without the space behind it; one that the
   * vocabulary does not have is text before each text.
   */
  readonly marker: string;
  /**
   * Text before each text, tokenized together with it; one such as `[unused0] ` may be a marker.
   */
  readonly prompt: string;
  /** Whether spaces around a text are taken off. */
  readonly strip: boolean;
  /** Most tokens, all included; undefined: as many as the body takes. */
  readonly length: number | undefined;
  /** Filled up to `to` tokens by `token`, undefined: the tokenizer's mask. */
  readonly expansion:
    | { readonly to: number; readonly attended: boolean; readonly token: string | undefined }
    | undefined;
  /** Tokens without vectors. */
  readonly skip: readonly string[];
}

type Json = Readonly<Record<string, unknown>>;

/**
 * PyLate's fields of config_sentence_transformers.json (and of onnx_config.json, which has the
 * same): what is not there is as PyLate takes it, markers "[Q] " and "[D] ", 32 and 180 tokens,
 * queries filled up with masks that nothing looks at, no vectors for punctuation in documents.
 */
export function pyLateSettings(json: Json, where: string): Settings {
  const field = reader(json, where);
  const prompts = reader(promptsOf(json, where), where);
  const [queryMarker, documentMarker] = [
    field.text('query_prefix') ?? '[Q] ',
    field.text('document_prefix') ?? '[D] ',
  ];
  const queryLength = field.length('query_length') ?? 32;
  const expands = field.flag('do_query_expansion') ?? true;
  return {
    query: {
      marker: queryMarker,
      prompt: promptOf(prompts.text('query'), queryMarker),
      strip: true,
      length: queryLength,
      expansion: expands
        ? {
            to: queryLength,
            attended: field.flag('attend_to_expansion_tokens') ?? false,
            token: undefined,
          }
        : undefined,
      skip: [],
    },
    document: {
      marker: documentMarker,
      prompt: promptOf(prompts.text('document'), documentMarker),
      strip: true,
      length: field.length('document_length') ?? 180,
      expansion: undefined,
      skip: field.words('skiplist_words') ?? PUNCTUATION,
    },
    lowerCase: field.flag('do_lower_case') ?? false,
    normalize: true,
  };
}

/** A prompt without the marker that it may begin with. */
function promptOf(prompt = '', marker: string): string {
  return marker !== '' && prompt.startsWith(marker) ? prompt.slice(marker.length) : prompt;
}

/** What config_sentence_transformers.json has as its prompts. */
function promptsOf({ prompts = null }: Json, where: string): Json {
  if (typeof prompts === 'object' && !Array.isArray(prompts)) return (prompts ?? {}) as Json;
  throw badFile(where, `prompts is ${showJson(prompts)}, expected an object of texts`);
}

/** Whether a config_sentence_transformers.json is of PyLate. */
export function isPyLate(json: Json): boolean {
  return [
    'query_prefix',
    'document_prefix',
    'query_length',
    'document_length',
    'do_query_expansion',
  ].some((key) => json[key] !== undefined);
}

/** Stanford ColBERT's artifact.metadata; queries are always filled up. */
export function stanfordSettings(json: Json, where: string): Settings {
  const field = reader(json, where);
  const queryLength = field.length('query_maxlen') ?? 32;
  return {
    query: {
      marker: field.text('query_token_id') ?? '[unused0]',
      prompt: '',
      strip: false,
      length: queryLength,
      expansion: {
        to: queryLength,
        attended: field.flag('attend_to_mask_tokens') ?? false,
        token: undefined,
      },
      skip: [],
    },
    document: {
      marker: field.text('doc_token_id') ?? '[unused1]',
      prompt: '',
      strip: false,
      length: field.length('doc_maxlen') ?? 180,
      expansion: undefined,
      skip: (field.flag('mask_punctuation') ?? true) ? PUNCTUATION : [],
    },
    lowerCase: false,
    normalize: true,
  };
}

/**
 * Sentence Transformers 6: the Transformer module's sentence_bert_config.json, the
 * MultiVectorMask's config.json, and the prompts.
 */
export function nativeSettings(
  transformer: { json: Json; where: string },
  mask: { json: Json; where: string },
  prompts: { json: Json; where: string },
  normalize: boolean,
): Settings {
  const field = reader(transformer.json, transformer.where);
  const skip = reader(mask.json, mask.where);
  if (mask.json.keep_only_token_ids)
    throw unsupported(
      mask.where,
      'keep_only_token_ids, which is of page images: give their vectors as tokens',
    );
  const words = skip.words('skiplist_words') ?? [];
  const tasks =
    typeof mask.json.skiplist_tasks === 'string'
      ? [mask.json.skiplist_tasks]
      : (skip.words('skiplist_tasks') ?? ['document']);
  const all = field.length('max_seq_length');
  const { expansion, length } = nativeExpansion(
    transformer.json.query_expansion,
    transformer.where,
  );
  const texts = reader(promptsOf(prompts.json, prompts.where), prompts.where);
  return {
    query: {
      marker: '',
      prompt: texts.text('query') ?? '',
      strip: false,
      length: length ?? field.length('query_length') ?? all,
      expansion,
      skip: tasks.includes('query') ? words : [],
    },
    document: {
      marker: '',
      // the library has a prompt of this name for every model, the empty one, and so never comes to
      // `passage`, `corpus` and default_prompt_name
      prompt: texts.text('document') ?? '',
      strip: false,
      length: field.length('document_length') ?? all,
      expansion: undefined,
      skip: tasks.includes('document') ? words : [],
    },
    lowerCase: field.flag('do_lower_case') ?? false,
    normalize,
  };
}

/** `length`: longer queries are cut. */
function nativeExpansion(
  value: unknown,
  where: string,
): { expansion: KindSettings['expansion']; length: number | undefined } {
  if (value === undefined || value === null) return { expansion: undefined, length: undefined };
  const bad = (problem: string): LemurError => unsupported(where, `query_expansion ${problem}`);
  if (typeof value !== 'object' || Array.isArray(value))
    throw bad(`is ${showJson(value)}, expected an object`);
  const field = reader(value as Json, where);
  const to = field.length('length');
  const { strategy = 'fixed' } = value as Json;
  if (to === undefined) throw bad('has no length');
  if (strategy !== 'fixed' && strategy !== 'min')
    throw bad(`has the strategy ${showJson(strategy)}, supported: fixed, min`);
  const expansion = { to, attended: field.flag('attend') ?? false, token: field.text('token') };
  return { expansion, length: strategy === 'fixed' ? to : undefined };
}

/** Fields of a configuration; null counts as absent. Raises 'bad-file' for one of another type. */
function reader(json: Json, where: string) {
  const get = <T>(
    key: string,
    is: (value: unknown) => value is T,
    expected: string,
  ): T | undefined => {
    const value = json[key];
    if (value === undefined || value === null) return undefined;
    if (is(value)) return value;
    throw badFile(where, `${key} is ${showJson(value)}, expected ${expected}`);
  };
  return {
    text: (key: string) => get(key, (value) => typeof value === 'string', 'a text'),
    flag: (key: string) => get(key, (value) => typeof value === 'boolean', 'true or false'),
    length: (key: string) =>
      get(
        key,
        (value): value is number => Number.isSafeInteger(value) && (value as number) >= 4,
        'an integer of at least 4',
      ),
    words: (key: string) =>
      get(
        key,
        (value): value is string[] =>
          Array.isArray(value) && value.every((word) => typeof word === 'string'),
        'an array of texts',
      ),
  };
}
