import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mutateBytes, mutateJson, type Random } from '../mutations.js';
import { type Attempt, REFUSED, type Run, type Target } from './harness.js';
import { checkOutcome, runInProcess } from './run-in-process.js';
import { writeSmallFolder } from './small-index.js';

/**
 * Ways to open an index; `FOLDER` is it, `MODEL` a folder that has an encoder's config.json and
 * nothing else.
 */
const COMMANDS = {
  search: ['search', 'FOLDER', 'anything', '-k', '2', '--threads', '1', '--model', 'MODEL'],
  filter: [
    'search',
    'FOLDER',
    '--vectors',
    'FOLDER/asked.npy',
    '--filter',
    '{"year":{"$gt":1990},"tags":"a"}',
    '--evidence',
    '--threads',
    '1',
  ],
  eval: [
    'eval',
    'FOLDER',
    '--queries',
    'FOLDER/asked.npy',
    '--qrels',
    'FOLDER/qrels.tsv',
    '-k',
    '2',
    '--candidates',
    '3',
    '--threads',
    '1',
  ],
  info: ['info', 'FOLDER', '--json'],
  verify: ['verify', 'FOLDER', '--threads', '1'],
} as const;
/** What `search` reads before it needs the encoder. */
const ENCODER: readonly string[] = ['encoder.json', 'projection.npy', 'model/config.json'];

/** A file of the folder in its new state; undefined: gone. */
interface Change {
  name: string;
  content: Uint8Array | 'folder' | undefined;
}

/** An index's files, all of them. */
interface Files {
  names: readonly string[];
  content: ReadonlyMap<string, Uint8Array>;
}

function changesOf({ names, content }: Files, random: Random): Change[] {
  const name = random.pick(names);
  const own = content.get(name)!;
  if (random.oneIn(25))
    return [{ name, content: random.pick([undefined, 'folder', new Uint8Array()]) }];
  if (random.oneIn(25)) return [{ name, content: content.get(random.pick(names))! }];
  if (name.endsWith('.json') && name !== 'index.json')
    return [{ name, content: mutateJson(JSON.parse(textOf(own)), random) }];
  return [{ name, content: mutateBytes({ seeds: [own] }, random) }];
}

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

function commandFor(changes: readonly Change[], random: Random): keyof typeof COMMANDS {
  if (changes.some(({ name }) => ENCODER.includes(name)) && !random.oneIn(4)) return 'search';
  return random.pick(['filter', 'eval', 'info', 'verify']);
}

function readFiles(root: string): Files {
  const names = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .sort();
  return {
    names,
    content: new Map(names.map((name) => [name, new Uint8Array(readFileSync(join(root, name)))])),
  };
}

function put(root: string, { name, content }: Change): void {
  const path = join(root, name);
  if (!(content instanceof Uint8Array)) rmSync(path, { recursive: true, force: true });
  if (content === 'folder') mkdirSync(path);
  else if (content) writeFileSync(path, content);
}

/**
 * A folder for as long as the run lasts, in which each input changes a file or two and puts them
 * back.
 */
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
        show: () =>
          changes
            .map(
              ({ name, content }) =>
                `${name}: ${content instanceof Uint8Array ? textOf(content) : content}`,
            )
            .join('\n'),
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

/** Files of an index, opened by the commands. */
export const folders: Target = {
  name: 'folders',
  open: () =>
    openFolder(writeSmallFolder, async (root, changes, random) => {
      const command = COMMANDS[commandFor(changes, random)];
      const args = command.map((word) =>
        word.replace('FOLDER', root).replace('MODEL', join(root, 'model')),
      );
      const outcome = await runInProcess(args, ['search', 'eval', 'info', 'verify']);
      // what verify has found is its result
      checkOutcome(
        command === COMMANDS.verify && outcome.exitCode === 1
          ? { ...outcome, stdout: '' }
          : outcome,
      );
      // an intact index is searched up to its encoder, which has no tokenizer here
      return outcome.exitCode === 0 || outcome.stderr.includes('no tokenizer.json')
        ? undefined
        : REFUSED;
    }),
};
