import { type FeatureLayout, mlpLayout, randomLayout } from '../device/feature-layout.js';
import { ACTIVATIONS } from '../kernels/kernels.js';

/** A feature map's layout as files hold it. */
export type FeatureMapDescription = Pick<FeatureLayout, 'kind' | 'inputDim' | 'activation'> & {
  widths: number[];
};

export function describeFeatureMap({
  kind,
  inputDim,
  activation,
  layers,
}: FeatureLayout): FeatureMapDescription {
  return { kind, inputDim, activation, widths: layers.map((layer) => layer.outputs) };
}

export function layoutOf({
  kind,
  inputDim,
  activation,
  widths,
}: FeatureMapDescription): FeatureLayout {
  return kind === 'random'
    ? randomLayout(inputDim, widths[0], activation)
    : mlpLayout(inputDim, widths, activation);
}

/** Whether a value that was read is one. */
export function isFeatureMapDescription(
  value: Partial<FeatureMapDescription> | undefined,
): value is FeatureMapDescription {
  const { kind, inputDim, activation, widths } = value ?? {};
  return (
    Array.isArray(widths) &&
    [inputDim, widths.length, ...widths].every(
      (size) => Number.isSafeInteger(size) && (size as number) > 0,
    ) &&
    (kind === 'mlp' || (kind === 'random' && widths.length === 1)) &&
    activation !== undefined &&
    ACTIVATIONS.includes(activation)
  );
}
