import { join } from 'node:path';
import { test } from 'vitest';
import { temporaryFolder } from '../temporary-folder.js';
import { expectSameAnswers } from './cached-answers.js';

const root = await temporaryFolder('cached-precisions');

test.each(['float32', 'int4'] as const)(
  'an index of %s that keeps the token vectors it has read answers as one that reads them each time',
  (precision) => expectSameAnswers(join(root, precision), precision),
);
