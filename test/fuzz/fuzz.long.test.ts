import { expect, test } from 'vitest';
import { fuzz } from './harness.js';
import { targets } from './targets.js';

/** Inputs of a quick run, a few seconds each; `npm run fuzz` reads 100,000 of each. */
const INPUTS: Record<string, number> = {
  npy: 15_000,
  'token-vectors': 5000,
  safetensors: 5000,
  zip: 15_000,
  torch: 5000,
  'torch-tensors': 5000,
  shards: 5000,
  pickle: 15_000,
  jsonl: 8000,
  beir: 5000,
  qrels: 15_000,
  'files as texts': 4000,
  arguments: 2500,
  folders: 150,
  manifest: 1500,
};

test('every reader has a quick run', () => {
  expect(Object.keys(INPUTS)).toEqual(targets.map(({ name }) => name));
});

test.each(targets.map((target) => [target.name, target] as const))(
  '%s: mutated inputs are read or refused by our own errors, within bounds of time, ' +
    'memory and open files',
  async (name, target) => {
    const inputs = INPUTS[name];
    const { refused, accepted } = await fuzz(target, { inputs, seed: 1 });
    // mutations that are all refused, or all read, would test little
    expect(refused).toBeGreaterThan(inputs / 20);
    expect(accepted).toBeGreaterThan(inputs / 100);
  },
);
