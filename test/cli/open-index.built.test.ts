import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readManifest } from '../../dist/cli/open-index.js';
import { readEncoderInfo } from '../../dist/encoder/node-described-encoder.js';
import { Index } from '../../dist/entry/node.js';
import { nodePlatform } from '../../dist/entry/node-platform.js';
import { documentsOf } from '../collection/random-documents.js';

const root = await mkdtemp(join(tmpdir(), 'lemur-open-index-'));
afterAll(() => rm(root, { recursive: true }));

test.skipIf(process.platform === 'win32')(
  'what is no file in place of encoder.json, or of a module, is an error at once',
  { timeout: 20_000 },
  async () => {
    const kinds: [string, (path: string) => Promise<unknown>][] = [
      ['a named pipe', async (path) => execFileSync('mkfifo', [path])],
      ['a device', (path) => symlink('/dev/zero', path)],
      ['a folder', (path) => mkdir(path)],
      ['a link that leads nowhere', (path) => symlink('nowhere', path)],
    ];
    for (const [i, [kind, make]] of kinds.entries()) {
      const folder = join(root, `${i}`);
      await mkdir(folder);
      await make(join(folder, 'encoder.json'));
      const refused = { code: 'not-found', message: expect.stringContaining(kind) };
      await expect(readEncoderInfo(folder)).rejects.toMatchObject(refused);
      await expect(nodePlatform.readBytes(join(folder, 'encoder.json'))).rejects.toMatchObject(
        refused,
      );
    }
    expect(await readEncoderInfo(root)).toBeUndefined();
  },
);

test('an index that has lost its index.json is not said to be made by lemur add', async () => {
  const folder = join(root, 'lost');
  const index = await Index.create(folder, { dim: 8, threads: 1 });
  await index.add(documentsOf(5, 8));
  await index.close();
  await unlink(join(folder, 'index.json'));
  await expect(readManifest(folder)).rejects.toMatchObject({
    code: 'not-found',
    message: expect.stringMatching(/put its index\.json back/),
  });
  await expect(readManifest(join(root, 'nowhere'))).rejects.toMatchObject({
    message: expect.stringContaining('`lemur add` makes one'),
  });
});
