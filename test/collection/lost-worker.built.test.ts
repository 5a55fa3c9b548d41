import { expect, test } from 'vitest';
import { createCpuDevice } from '../../dist/device/cpu/cpu-device.js';
import { Index, memoryStorage } from '../../dist/entry/node.js';
import { nodePlatform } from '../../dist/entry/node-platform.js';
import { documentsOf } from './random-documents.js';

test('a collection whose worker threads were ended from outside works on, with what it has', async () => {
  const ports: { terminate(): Promise<void>; die(): void }[] = [];
  const device = await createCpuDevice(
    {
      ...nodePlatform,
      spawnWorker() {
        const port = nodePlatform.spawnWorker();
        let dies = (_cause: unknown): void => {};
        ports.push({
          terminate: () => port.terminate(),
          die: () => dies(new Error('exit code 1')),
        });
        return {
          post: (message, transfer) => port.post(message, transfer),
          listen(onMessage, onDeath) {
            dies = onDeath;
            port.listen(onMessage, onDeath);
          },
          keepAlive: (alive) => port.keepAlive(alive),
          terminate: () => port.terminate(),
        };
      },
    },
    2,
  );
  const index = await Index.create(memoryStorage(), { dim: 8, features: 'random', device });
  const documents = documentsOf(60, 8);
  await index.add(documents);
  await index.fit({ olsSampleSize: 64, finalHiddenDim: 16, prefixDim: 8, trainSubsetSize: 16 });
  const query = { data: documents[7].tokens.data, dims: documents[7].tokens.dims };
  const before = await index.search(query, { k: 5 });
  for (const port of ports.splice(0)) {
    await port.terminate();
    port.die();
  }
  expect(await index.search(query, { k: 5 })).toEqual(before);
  await index.add({ ...documents[0], id: 'later' });
  expect(index.size).toBe(61);
  expect((await index.verify()).problems).toEqual([]);
  await index.close();
  await device.close();
});
