import { badFile, unsupported } from '../../errors.js';
import { showJson } from '../../formats/json/show-json.js';

/**
 * The shape of a BERT body, from its config.json; RoBERTa and XLM-R differ in where their positions
 * begin.
 */
export interface BertConfig {
  readonly kind: 'bert';
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  readonly intermediate: number;
  readonly vocabulary: number;
  /** The longest text in tokens, [CLS] and [SEP] included. */
  readonly positions: number;
  /** The row of the position embeddings that the first token takes. */
  readonly firstPosition: number;
  /**
   * A token in a text that takes the row before that and is not counted; undefined: there is none.
   */
  readonly unplaced: number | undefined;
  /** Added to the variance in each LayerNorm. */
  readonly epsilon: number;
  readonly activation: 'gelu' | 'relu';
}

/**
 * Checks a parsed config.json. `where` names it in errors. Raises `unsupported` for another
 * architecture than BERT or RoBERTa with absolute positions and GELU or ReLU, `bad-file` for values
 * that make no sense.
 */
export function bertConfig(json: unknown, where: string): BertConfig {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw badFile(where, 'expected an object of model settings');
  }
  const config = json as Record<string, unknown>;
  expectOneOf(config, 'model_type', ['bert', 'roberta', 'xlm-roberta'], where);
  expectOneOf(config, 'position_embedding_type', ['absolute', undefined], where);
  expectOneOf(config, 'hidden_act', ['gelu', 'relu'], where);
  const hidden = positive(config, 'hidden_size', where);
  const heads = positive(config, 'num_attention_heads', where);
  if (hidden % (8 * heads) !== 0) {
    throw unsupported(
      where,
      `hidden_size ${hidden} in ${heads} heads, expected heads of a multiple of 8`,
    );
  }
  const intermediate = positive(config, 'intermediate_size', where);
  if (intermediate % 8 !== 0) {
    throw unsupported(where, `intermediate_size ${intermediate}, expected a multiple of 8`);
  }
  const epsilon = config.layer_norm_eps;
  if (typeof epsilon !== 'number' || !Number.isFinite(epsilon) || !(epsilon > 0)) {
    throw badFile(where, `layer_norm_eps ${showJson(epsilon)}, expected a positive number`);
  }
  // RoBERTa counts from behind the padding token's id
  const firstPosition =
    config.model_type === 'bert' ? 0 : 1 + natural(config, 'pad_token_id', where);
  const positions = positive(config, 'max_position_embeddings', where) - firstPosition;
  if (positions < 3)
    throw badFile(where, `${positions} positions for a text's tokens, expected at least 3`);
  return {
    kind: 'bert',
    hidden,
    layers: positive(config, 'num_hidden_layers', where),
    heads,
    intermediate,
    vocabulary: positive(config, 'vocab_size', where),
    positions,
    firstPosition,
    unplaced: config.model_type === 'bert' ? undefined : firstPosition - 1,
    epsilon,
    activation: config.hidden_act as BertConfig['activation'],
  };
}

export function expectOneOf(
  config: Record<string, unknown>,
  key: string,
  known: readonly unknown[],
  where: string,
): void {
  if (known.includes(config[key])) return;
  const names = known.filter((name) => name !== undefined).join(' or ');
  throw unsupported(where, `${key} is ${showJson(config[key])}, supported: ${names}`);
}

export function positive(config: Record<string, unknown>, key: string, where: string): number {
  const value = config[key];
  if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return value;
  throw badFile(where, `${key} is ${showJson(value)}, expected a positive integer`);
}

function natural(config: Record<string, unknown>, key: string, where: string): number {
  return config[key] === 0 ? 0 : positive(config, key, where);
}
