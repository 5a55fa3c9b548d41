import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Index, type LemurError } from '../../../dist/entry/node.js';
import { temporaryFolder } from '../../temporary-folder.js';
import { documentsOf } from '../random-documents.js';

const DIM = 8;
const root = await temporaryFolder('moved');

test.skipIf(process.platform === 'win32')(
  'a writer whose folder was moved says so, also where the model is what it would read first',
  async () => {
    const calls: Record<string, (index: Index) => Promise<unknown>> = {
      add: (index) => index.add(documentsOf(1, DIM, 1, 'new')),
      replace: (index) => index.add(documentsOf(1, DIM), { onExisting: 'replace' }),
      fit: (index) => index.fit({ epochs: 0, finalHiddenDim: 8, olsSampleSize: 64 }),
    };
    for (const [name, call] of Object.entries(calls)) {
      const at = join(root, name);
      const made = await Index.create(at, { dim: DIM, features: 'random', threads: 1 });
      await made.add(documentsOf(40, DIM));
      await made.fit({ finalHiddenDim: 8, olsSampleSize: 64, trainSubsetSize: 8 });
      await made.close();

      const index = await Index.open(at, { write: true, threads: 1 });
      await rename(at, `${at}-moved`);
      const error = await call(index).then(
        () => undefined,
        (cause: LemurError) => cause,
      );
      expect(error).toMatchObject({ code: 'storage-failed' });
      expect(error?.message).toContain('the lock is gone');
      if (name !== 'fit') expect(error?.committed).toBe(0);
      await index.close();
      const moved = await Index.open(`${at}-moved`, { threads: 1 });
      expect(moved.size).toBe(40);
      await moved.close();
    }
  },
);
