import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
/**
 * A model whose only operator has a name that clears the screen and a shape that its input does not
 * have.
 */
const SCRIPT = `
import runtime from 'onnxruntime-node';
import { onnxBody } from './dist/encoder/runtime/onnx-body.js';
import { writeOnnx } from './dist/encoder/graph/onnx-writer.js';
const dims = ['batch', 'tokens'];
const file = writeOnnx({
  name: 'g',
  nodes: [
    { op: 'Cast', inputs: ['input_ids'], outputs: ['floats'], attributes: { to: 1 } },
    { op: 'Reshape', inputs: ['floats', 'shape'], outputs: ['\\u001b[2J'] },
  ],
  inputs: ['input_ids', 'attention_mask'].map((name) => ({ name, type: 'int64', dims })),
  outputs: [{ name: '\\u001b[2J', type: 'float32', dims }],
  constants: [{ name: 'shape', dims: [2], type: 'int64', data: BigInt64Array.of(7n, 7n) }],
}, { '': 17 });
const body = await onnxBody(runtime, { model: file, where: 'model' }, undefined, {});
const batch = { ids: Int32Array.of(1, 2), lengths: Int32Array.of(2), attended: Int32Array.of(2) };
await body.run(batch, false).then(() => console.log('ran'), (error) => console.log(JSON.stringify(error.message)));
`;

test('ONNX Runtime writes nothing of a model to the terminal by itself', () => {
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', SCRIPT], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(stdout).toContain('\\u001b[2J');
});
