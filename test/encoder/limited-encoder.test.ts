import { expect, test } from 'vitest';
import type { EncodeOptions, PoolingEncoder } from '../../src/encoder/encoder.js';
import { limitedEncoder } from '../../src/encoder/limited-encoder.js';

const asked: (EncodeOptions | undefined)[] = [];
const note = async (_texts: readonly string[], options?: EncodeOptions): Promise<never> => {
  asked.push(options);
  return undefined as never;
};
const encoder = {
  id: 'words',
  dim: 4,
  ...{ encodeQuery: note, encodeDocument: note, encodePooled: note, encode: note },
} as unknown as PoolingEncoder;

test('a limit holds where a call names none, or an undefined one, and yields to another', async () => {
  const limited = limitedEncoder(encoder, 7);
  const { signal } = new AbortController();
  for (const method of ['encodeQuery', 'encodeDocument', 'encodePooled', 'encode'] as const)
    for (const options of [undefined, { maxTokens: undefined, signal }, { maxTokens: 3 }])
      await limited[method](['a text'], options as never);
  const once = [{ maxTokens: 7 }, { maxTokens: 7, signal }, { maxTokens: 3 }];
  expect(asked).toEqual([...once, ...once, ...once, ...once]);
});
