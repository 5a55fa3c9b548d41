// Sentence Transformers beside ours, in a process of its own that waits between its turns.
import { spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/**
 * `encode(texts)` gives { seconds, rows, vectors } of all tokens, those around a text included.
 * `python` has bench/peers/requirements-encoder.txt, `model` is the default encoder's folder.
 */
export async function sentenceTransformers(python, model, threads) {
  const folder = mkdtempSync(join(tmpdir(), 'lemur-encoder-'));
  for (const name of ['config.json', 'tokenizer.json'])
    copyFileSync(join(model, name), join(folder, name));
  copyFileSync(join(model, 'model.fp16.safetensors'), join(folder, 'model.safetensors'));
  const script = fileURLToPath(new URL('encode.py', import.meta.url));
  const child = spawn(python, [script, folder, String(threads)], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`${python} ${script} ended without an answer`);
    return JSON.parse(value);
  };
  const { versions } = await answer();
  return {
    versions,
    async encode(texts) {
      child.stdin.write(`${JSON.stringify(texts)}\n`);
      const { seconds, rows, file } = await answer();
      const bytes = readFileSync(file);
      return { seconds, rows, vectors: new Float32Array(bytes.buffer, bytes.byteOffset) };
    },
    close() {
      child.stdin.end();
      rmSync(folder, { recursive: true });
    },
  };
}
