import type { FeatureLayout } from '../../dist/device/feature-layout.js';
import { sum } from '../numbers.js';

/** psi by its formula, in float64. `parameters` may be float64 too, for differences. */
export function naiveFeatures(
  layout: FeatureLayout,
  parameters: ArrayLike<number>,
  token: ArrayLike<number>,
): number[] {
  const normalise = (v: number[]): number[] => {
    const m = sum(v) / v.length;
    const deviation = Math.sqrt(sum(v.map((a) => (a - m) ** 2)) / v.length + 1e-5);
    return v.map((a) => (a - m) / deviation);
  };
  const activate = (v: number): number => {
    if (layout.activation === 'relu') return Math.max(0, v);
    return layout.activation === 'silu'
      ? v / (1 + Math.exp(-v))
      : (v / 2) * (1 + erf(v / Math.SQRT2));
  };
  let value = Array.from(token);
  for (const { inputs, outputs, weight, bias, gamma, beta } of layout.layers) {
    const input = value;
    let linear = Array.from({ length: outputs }, (_, o) => {
      let total = 0;
      for (let i = 0; i < inputs; i++) total += input[i] * parameters[weight + o * inputs + i];
      return total;
    });
    if (layout.kind === 'random')
      value = normalise(linear.map((v) => activate(v) * Math.sqrt(2 / outputs)));
    else {
      linear = linear.map((v, o) => v + parameters[bias + o]);
      value = normalise(linear).map((v, o) =>
        activate(v * parameters[gamma + o] + parameters[beta + o]),
      );
    }
  }
  return value;
}

/** By Simpson's rule over e^-t^2, good to 1e-12. */
function erf(z: number): number {
  const steps = 400;
  const h = Math.min(6, Math.abs(z)) / steps;
  let total = 1 + Math.exp(-((h * steps) ** 2));
  for (let i = 1; i < steps; i++) total += (i % 2 === 1 ? 4 : 2) * Math.exp(-((i * h) ** 2));
  return (Math.sign(z) * 2 * h * total) / (3 * Math.sqrt(Math.PI));
}
