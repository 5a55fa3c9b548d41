import { Index, memoryStorage } from '../../dist/entry/node.js';
import { crc32 } from '../../src/bytes/crc32.js';
import { mutateBytes, mutateJson, type Random } from '../mutations.js';
import type { Attempt, Target } from './harness.js';
import { writeSmallIndex } from './small-index.js';

const NAME = 'index.json';

/**
 * Damaged bytes, or other content with the right checksum, as somebody's who means harm would have.
 */
function mutated(own: Uint8Array, random: Random): Uint8Array {
  if (random.oneIn(4)) return mutateBytes({ seeds: [own] }, random);
  const { version, index } = JSON.parse(new TextDecoder().decode(own)) as {
    version: number;
    index: unknown;
  };
  const json = mutateJson(index, random);
  const text = new TextDecoder().decode(json);
  return new TextEncoder().encode(
    `{"format":"lemur-index","version":${version},"crc32":${crc32(json)},"index":${text}}\n`,
  );
}

/** The one file of an index that changes, beside intact ones. */
export const manifest: Target = {
  name: 'manifest',
  async open() {
    const storage = memoryStorage();
    await writeSmallIndex(storage);
    const own = await storage.read(NAME);
    return {
      once(random): Attempt {
        const bytes = mutated(own, random);
        return {
          size: bytes.length,
          show: () => new TextDecoder().decode(bytes),
          async read() {
            await storage.replace(NAME, bytes);
            const index = await Index.open(storage, { threads: 1 });
            try {
              index.stats();
              await index.search(
                { data: new Float32Array(index.dim).fill(1), dims: [1, index.dim] },
                { include: ['text', 'evidence'] },
              );
            } finally {
              await index.close();
            }
          },
        };
      },
    };
  },
};
