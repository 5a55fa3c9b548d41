import { afterEach, expect, test, vi } from 'vitest';
import { usualWork } from '../../src/collection/usual-work.js';
import { resolveDevice } from '../../src/device/default-device.js';
import type { Device } from '../../src/device/device.js';
import { type GpuCode, provideGpu } from '../../src/device/provided-gpu.js';
import '../../src/entry/node.js';
import type { IndexManifest } from '../../src/collection/files/manifest.js';
import { nodeGpu } from '../../src/entry/node-gpu.js';

let clock = 0;
let isCard = false;
const cards: { closed: boolean }[] = [];
afterEach(() => {
  // no other test gets one of them
  for (const card of cards.splice(0)) card.closed = true;
  provideGpu(nodeGpu);
  vi.restoreAllMocks();
});

/** A card whose calls take so many milliseconds of a clock by which the processor's take 10. */
function provideCard(ms: number, { software = false, opens = true, measures = true } = {}): Device {
  vi.spyOn(performance, 'now').mockImplementation(() => {
    clock += isCard ? ms : 10;
    isCard = false;
    return clock;
  });
  const make = async () => ({ id: 1, dtype: 'f32', length: 1 });
  const card = {
    closed: false,
    upload: make,
    allocate: make,
    free() {},
    async maxSim() {
      if (!measures) throw new Error('cannot compute');
    },
    async read() {
      isCard = true;
    },
  } as unknown as Device & { closed: boolean };
  cards.push(card);
  const code = {
    hasSoftwareAdapter: async () => software,
    openWebGpu: async () => (opens ? card : Promise.reject(new Error('cannot open'))),
  } as unknown as GpuCode;
  provideGpu({ request: async () => ({}), load: async () => code });
  return card;
}

const auto = { device: 'auto', threads: 1 } as const;
const processor = (): Promise<unknown> => resolveDevice({ threads: 1 });

test('auto takes the GPU where it was measured to be quicker, and else the processor', async () => {
  const quick = provideCard(1);
  expect(await resolveDevice(auto, 1e6)).toBe(quick);
  cards[0].closed = true;
  provideCard(100);
  expect(await resolveDevice(auto, 1e6)).toBe(await processor());
});

test('auto takes the processor where there is no GPU, or one that is a program or fails', async () => {
  provideGpu({ request: async () => undefined, load: () => Promise.reject(new Error('unasked')) });
  expect(await resolveDevice(auto, 1e6)).toBe(await processor());
  for (const broken of [{ software: true }, { opens: false }, { measures: false }]) {
    provideCard(1, broken);
    expect(await resolveDevice(auto, 1e6), JSON.stringify(broken)).toBe(await processor());
    cards[cards.length - 1].closed = true;
  }
});

test('the usual work of a collection is that of a search, by how it finds candidates', () => {
  const collection = (documents: number, prefix: number | null): IndexManifest =>
    ({
      dim: 8,
      model: prefix && { prefix: { dim: prefix } },
      segments: [
        { documents, tokens: 30 * documents },
        { documents, tokens: 10 * documents },
      ],
    }) as unknown as IndexManifest;
  // 32 query tokens with every token: a multiplication and an addition in each dimension
  expect(usualWork(collection(500, null))).toBe(2 * 32 * 8 * 20_000);
  // 16 of each document, and the tokens of 200 candidates of 1,000
  expect(usualWork(collection(500, 16))).toBe(2 * 16 * 1000 + (2 * 32 * 8 * 20_000) / 5);
  expect(usualWork(collection(50, 16))).toBe(2 * 16 * 100 + 2 * 32 * 8 * 2000);
  expect(usualWork(collection(0, 16))).toBe(0);
});
