import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openRun } from '../../dist/cli/run-state.js';
import { crc32 } from '../../src/formats/crc32.js';
import { concat, mutateBytes, mutateJson, type Random } from '../mutations.js';
import { type Attempt, REFUSED, type Run, type Target } from './harness.js';
import { checkOutcome, runInProcess } from './run-in-process.js';
import { writeSmallCollection } from './small-collection.js';

/** Ways to open a collection; `FOLDER` is it, `MODEL` a folder that has an encoder's config.json and nothing else. */
const COMMANDS = {
  search: ['search', 'FOLDER', 'anything', '-k', '2', '--candidates', '3', '--threads', '1', '--model', 'MODEL'],
  eval: ['eval', 'FOLDER', '-k', '2', '--candidates', '3', '--threads', '1'],
  evalJson: ['eval', 'FOLDER', '--json', '-k', '3', '--candidates', '3', '--threads', '1'],
} as const;
/** What `search` reads before it needs the encoder, in a third of the time that `eval` takes. */
const SEARCHED: readonly string[] = [
  'collection.json',
  'documents.jsonl',
  'tokens.npy',
  'counts.npy',
  'projection.npy',
  'model/config.json',
];

/** A file of the folder in its new state; undefined: gone. */
interface Change {
  name: string;
  content: Uint8Array | 'folder' | undefined;
}

/** A collection's files, all of them. */
interface Files {
  names: readonly string[];
  content: ReadonlyMap<string, Uint8Array>;
}

function changesOf({ names, content }: Files, random: Random): Change[] {
  const name = random.pick(names);
  const own = content.get(name)!;
  if (random.oneIn(25)) return [{ name, content: random.pick([undefined, 'folder', new Uint8Array()]) }];
  if (random.oneIn(25)) return [{ name, content: content.get(random.pick(names))! }];
  if (name.endsWith('.json')) return [{ name, content: mutateJson(JSON.parse(textOf(own)), random) }];
  if (name.endsWith('.jsonl'))
    return [{ name, content: random.oneIn(2) ? mutateLines(own, random) : mutateBytes({ seeds: [own] }, random) }];
  if (!name.endsWith('.safetensors')) return [{ name, content: mutateBytes({ seeds: [own] }, random) }];
  const mutated = random.oneIn(2) ? mutateBytes({ seeds: [own] }, random) : mutateHeader(own, random);
  const change = { name, content: mutated };
  // now and then the manifest knows of it, as somebody's who means harm would
  return random.oneIn(4) ? [change] : [change, agreeing(content, name, mutated)];
}

function mutateLines(file: Uint8Array, random: Random): Uint8Array {
  const lines = textOf(file).trimEnd().split('\n');
  const hostile = random.below(lines.length);
  const newline = Uint8Array.of(10);
  return concat(
    ...lines.flatMap((line, i) => [i === hostile ? mutateJson(JSON.parse(line), random) : new TextEncoder().encode(line), newline]),
  );
}

function mutateHeader(file: Uint8Array, random: Random): Uint8Array {
  const length = new DataView(file.buffer, file.byteOffset).getUint32(0, true);
  const json = mutateJson(JSON.parse(textOf(file.subarray(8, 8 + length))), random);
  const size = new Uint8Array(8);
  new DataView(size.buffer).setUint32(0, json.length, true);
  return concat(size, json, file.subarray(8 + length));
}

/** `lemur.json` with the length and checksum that the file has now. */
function agreeing(content: Files['content'], name: string, bytes: Uint8Array): Change {
  const [folder, file] = name.split('/');
  const manifest = JSON.parse(textOf(content.get(`${folder}/lemur.json`)!)) as { files: Record<string, { name: string }> };
  const entry = Object.values(manifest.files).find((found) => found.name === file);
  Object.assign(entry!, { bytes: bytes.length, crc32: crc32(bytes) });
  return { name: `${folder}/lemur.json`, content: new TextEncoder().encode(JSON.stringify(manifest)) };
}

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/**
 * `eval` looks for the encoder that the description names, and an npm package of that name takes seconds to load: only descriptions that
 * name a folder are for it, the others for `search` with --model.
 */
function commandFor(changes: readonly Change[], random: Random): keyof typeof COMMANDS {
  const description = changes.find(({ name }) => name === 'collection.json');
  if (description && !namesFolder(description.content)) return 'search';
  const searched = changes.every(({ name }) => SEARCHED.includes(name));
  return searched && !random.oneIn(4) ? 'search' : random.pick(['eval', 'evalJson']);
}

function namesFolder(description: Change['content']): boolean {
  try {
    const { plan } = JSON.parse(textOf(description as Uint8Array)) as { plan?: { model?: { folder?: unknown } } };
    return typeof plan?.model?.folder === 'string';
  } catch {
    return false;
  }
}

function readFiles(root: string): Files {
  const names = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .sort();
  return { names, content: new Map(names.map((name) => [name, new Uint8Array(readFileSync(join(root, name)))])) };
}

function put(root: string, { name, content }: Change): void {
  const path = join(root, name);
  if (!(content instanceof Uint8Array)) rmSync(path, { recursive: true, force: true });
  if (content === 'folder') mkdirSync(path);
  else if (content) writeFileSync(path, content);
}

/** A folder for as long as the run lasts, in which each input changes a file or two and puts them back. */
async function openFolder(
  prepare: (root: string) => Promise<void>,
  read: (root: string, changes: readonly Change[], random: Random) => unknown,
): Promise<Run> {
  const root = mkdtempSync(join(tmpdir(), 'lemur-fuzz-'));
  await prepare(root);
  const files = readFiles(root);
  return {
    once(random): Attempt {
      const changes = changesOf(files, random);
      const size = changes.reduce((sum, { content }) => sum + (content?.length ?? 0), 0);
      return {
        size,
        show: () => changes.map(({ name, content }) => `${name}: ${content instanceof Uint8Array ? textOf(content) : content}`).join('\n'),
        async read() {
          for (const change of changes) put(root, change);
          try {
            return await read(root, changes, random);
          } finally {
            for (const { name, content } of changes) {
              if (content === 'folder') rmSync(join(root, name), { recursive: true });
              put(root, { name, content: files.content.get(name) });
            }
          }
        },
      };
    },
    close: async () => rmSync(root, { recursive: true }),
  };
}

/** Files of a collection, opened by the commands. */
export const folders: Target = {
  name: 'folders',
  open: () =>
    openFolder(writeSmallCollection, async (root, changes, random) => {
      const command = COMMANDS[commandFor(changes, random)];
      const args = command.map((word) => (word === 'FOLDER' ? root : word === 'MODEL' ? join(root, 'model') : word));
      const outcome = await runInProcess(args, ['search', 'eval']);
      checkOutcome(outcome);
      // an intact collection is searched up to its encoder, which has no tokenizer here
      return outcome.exitCode === 0 || outcome.stderr.includes('no tokenizer.json') ? undefined : REFUSED;
    }),
};

/** What a demo that was interrupted left, on which the next goes on. */
export const runs: Target = {
  name: 'runs',
  open: () =>
    openFolder(
      async (root) => {
        const stages = { texts: { seconds: 0.5, parts: {} }, fit: { seconds: 2.5, parts: { targets: 1, training: 1.5 } } };
        writeFileSync(join(root, 'run.json'), JSON.stringify({ plan, stages }));
      },
      async (root) => void (await openRun(root, plan, false)),
    ),
};

const plan = { data: 'SciFact', documents: 12, model: { package: 'some', version: '1' }, maxTokens: 180 };
