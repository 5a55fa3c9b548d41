import { expect, test } from 'vitest';
import { reportTokens } from '../../src/tokens/token-report.js';
import { tokenSets } from '../../src/tokens/token-sets.js';

test('zero rows and rows that are not of unit length are counted', async () => {
  const rows = Float32Array.of(1, 0, 0, 0, 0.6, 0.8, 0, 0, 2, 0, 0.995, 0, 0.98, 0);
  const sets = await tokenSets({ vectors: rows, counts: [3, 4], dim: 2 }, 'documents');
  expect(await reportTokens(sets)).toEqual({ zeroRows: 2, nonUnitRows: 2 });
});
