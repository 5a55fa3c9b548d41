import { badFile, unsupported } from '../../errors.js';
import { showJson } from '../../formats/json/show-json.js';

/** Functions that a dense layer may end with. */
export const ACTIVATIONS = ['identity', 'tanh', 'relu', 'gelu', 'sigmoid', 'silu'] as const;
export type DenseActivation = (typeof ACTIVATIONS)[number];

/**
 * A layer behind the body: activation(weight x + bias), plus x itself or `residual` x where there
 * is a residual. Matrices are outputs x inputs.
 */
export interface DenseLayer {
  readonly inputs: number;
  readonly outputs: number;
  readonly weight: Float32Array;
  readonly bias: Float32Array | undefined;
  readonly activation: DenseActivation;
  readonly residual: Float32Array | 'input' | undefined;
}

/** What the config.json of a `Dense` module says. */
export interface DenseConfig {
  readonly inputs: number;
  readonly outputs: number;
  readonly bias: boolean;
  readonly activation: DenseActivation;
  readonly residual: boolean;
}

/**
 * Checks it. Raises 'bad-file', and 'unsupported' for another activation or another input than the
 * tokens' states.
 */
export function denseConfig(json: unknown, where: string): DenseConfig {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw badFile(where, "expected an object of a dense layer's settings");
  const config = json as Record<string, unknown>;
  const size = (key: string): number => {
    const value = config[key];
    if (Number.isSafeInteger(value) && (value as number) > 0) return value as number;
    throw badFile(where, `${key} is ${showJson(value)}, expected a positive integer`);
  };
  const input = config.module_input_name ?? 'token_embeddings';
  if (input !== 'token_embeddings')
    throw unsupported(where, `a layer of ${showJson(input)}, expected one of token_embeddings`);
  // torch.nn.modules.linear.Identity and the like
  const name = config.activation_function ?? 'Identity';
  const activation = ACTIVATIONS.find(
    (known) => typeof name === 'string' && name.split('.').at(-1)?.toLowerCase() === known,
  );
  if (!activation)
    throw unsupported(
      where,
      `activation_function is ${showJson(name)}, supported: ${ACTIVATIONS.join(', ')}`,
    );
  return {
    inputs: size('in_features'),
    outputs: size('out_features'),
    bias: config.bias !== false,
    activation,
    residual: config.use_residual === true,
  };
}

/** A projection, hidden x dim, as a layer. */
export function denseOfProjection({
  matrix,
  dim,
}: {
  matrix: Float32Array;
  dim: number;
}): DenseLayer {
  const inputs = matrix.length / dim;
  const weight = new Float32Array(matrix.length);
  for (let i = 0; i < inputs; i++)
    for (let o = 0; o < dim; o++) weight[o * inputs + i] = matrix[i * dim + o];
  return {
    inputs,
    outputs: dim,
    weight,
    bias: undefined,
    activation: 'identity',
    residual: undefined,
  };
}
