import { badFile, unsupported } from '../../errors.js';
import { showJson } from '../../formats/json/show-json.js';
import { expectOneOf, positive } from './bert-config.js';

/** The shape of a ModernBERT body, from its config.json. */
export interface ModernBertConfig {
  readonly kind: 'modernbert';
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  readonly intermediate: number;
  readonly vocabulary: number;
  readonly positions: number;
  readonly epsilon: number;
  /** For each layer how far its tokens look, to either side; undefined: everywhere. */
  readonly reach: readonly (number | undefined)[];
  /** Base of the rotary embedding of layers that look everywhere, and of the others. */
  readonly theta: { readonly everywhere: number; readonly near: number };
}

/** Checks a parsed config.json. `where` names it in errors. Raises 'unsupported' and 'bad-file'. */
export function modernBertConfig(config: Record<string, unknown>, where: string): ModernBertConfig {
  expectOneOf(config, 'hidden_activation', ['gelu', undefined], where);
  for (const key of ['attention_bias', 'mlp_bias', 'norm_bias'])
    expectOneOf(config, key, [false, undefined], where);
  const hidden = positive(config, 'hidden_size', where);
  const heads = positive(config, 'num_attention_heads', where);
  if (hidden % (2 * heads) !== 0)
    throw unsupported(
      where,
      `hidden_size ${hidden} in ${heads} heads, expected heads of an even size`,
    );
  const number = (key: string, value: unknown, otherwise: number): number => {
    if (value === undefined || value === null) return otherwise;
    if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value;
    throw badFile(where, `${key} is ${showJson(value)}, expected a positive number`);
  };
  const layers = positive(config, 'num_hidden_layers', where);
  const every = number('global_attn_every_n_layers', config.global_attn_every_n_layers, 3);
  const local = number('local_attention', config.local_attention, 128);
  const types =
    Array.isArray(config.layer_types) && config.layer_types.length === layers
      ? config.layer_types
      : undefined;
  // newer configurations have them by the kind of layer
  const rope = (config.rope_parameters ?? {}) as Record<
    string,
    { rope_theta?: unknown } | undefined
  >;
  const everywhere = number(
    'global_rope_theta',
    config.global_rope_theta ?? rope.full_attention?.rope_theta,
    160_000,
  );
  return {
    kind: 'modernbert',
    hidden,
    layers,
    heads,
    intermediate: positive(config, 'intermediate_size', where),
    vocabulary: positive(config, 'vocab_size', where),
    positions: positive(config, 'max_position_embeddings', where),
    epsilon: number('norm_eps', config.norm_eps, 1e-5),
    reach: Array.from({ length: layers }, (_, i) =>
      (types ? types[i] === 'full_attention' : i % every === 0) ? undefined : Math.floor(local / 2),
    ),
    theta: {
      everywhere,
      near: number(
        'local_rope_theta',
        config.local_rope_theta ?? rope.sliding_attention?.rope_theta,
        everywhere,
      ),
    },
  };
}
