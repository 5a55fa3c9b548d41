import { describe, expect, test } from 'vitest';
import { CHECKED_V8, type MergingFacts, whyUnmerged } from '../../src/cli/merging-choice.js';

const facts: MergingFacts = {
  v8: `${CHECKED_V8[0]}-node.1`,
  arch: 'x64',
  isNode: true,
  knowsKernels: true,
};

describe('merging to 256 bits is worth a check', () => {
  test.each(CHECKED_V8)('with V8 %s, whatever Node changed in it', (v8) => {
    for (const version of [v8, `${v8}-node.7`, `${v8}-node.53`])
      expect(whyUnmerged({ ...facts, v8: version })).toBeUndefined();
  });

  test.each<[string, Partial<MergingFacts>, RegExp]>([
    ['an older V8', { v8: '12.4.254.21-node.33' }, /^V8 12\.4\.254\.21-node\.33 is not among/],
    ['a version that begins like one', { v8: `${CHECKED_V8[0]}9` }, /is not among those/],
    ['another runtime', { isNode: false }, /not Node/],
    ['another processor', { arch: 'arm64' }, /x64 processor, got arm64/],
    ['an engine without WebAssembly', { knowsKernels: false }, /plain kernels/],
  ])('not with %s', (_name, change, why) => {
    expect(whyUnmerged({ ...facts, ...change })).toMatch(why);
  });
});
