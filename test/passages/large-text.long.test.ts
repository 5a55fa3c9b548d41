import { test } from 'vitest';
import { expectCutOnce } from './expect-cut-once.js';

test('a text of 10 MB is cut word by word, each counted a few times at most', () =>
  expectCutOnce(10_000_000));
