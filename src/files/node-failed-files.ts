import { constants } from 'node:fs';
import { mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkRegular } from '../bytes/node-regular-file.js';

/** Bytes of what is kept, beyond which it begins anew. */
const MOST_BYTES = 2 ** 22;
const MOST_SAID = 200;
/** A hash, and what was wrong. */
const LINE = /^([0-9a-f]{64}) (.*)$/;
const NAMES = { pdf: 'unpdf', docx: 'mammoth' } as const;
const { O_APPEND, O_CREAT, O_WRONLY } = constants;
// Windows has none; a pipe would be waited for
const { O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;

/**
 * Files that a reader could make nothing of, by hashes of their bytes and of the reader's version,
 * kept in a file of the user's cache: what is damaged need not be read in each run. A cache that is
 * full or shut keeps nothing.
 */
export class FailedFiles {
  readonly #path: string;
  readonly #retry: boolean;
  #known: Promise<Map<string, string>> | undefined;

  /** `retry`: reads everything again. */
  constructor(path: string, retry: boolean) {
    this.#path = path;
    this.#retry = retry;
  }

  /** What was wrong with it, '' for one without any text; undefined: nothing that is known. */
  async find(hash: string): Promise<string | undefined> {
    if (this.#retry) return undefined;
    this.#known ??= this.#read();
    return (await this.#known).get(hash);
  }

  async keep(hash: string, said: string): Promise<void> {
    const line = said.replace(/\s+/g, ' ').slice(0, MOST_SAID);
    (await this.#known)?.set(hash, line);
    try {
      await mkdir(dirname(this.#path), { recursive: true });
      const flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK;
      const file = await open(this.#path, flags, 0o600);
      try {
        checkRegular(await file.stat());
        await file.write(`${hash} ${line}\n`);
      } finally {
        await file.close();
      }
    } catch {}
  }

  async #read(): Promise<Map<string, string>> {
    const known = new Map<string, string>();
    try {
      const stats = await stat(this.#path);
      checkRegular(stats);
      if (stats.size > MOST_BYTES) await rm(this.#path);
      else
        for (const line of (await readFile(this.#path, 'utf8')).split('\n')) {
          const [, hash, said] = LINE.exec(line) ?? [];
          if (hash !== undefined) known.set(hash, said);
        }
    } catch {}
    return known;
  }
}

/** The version of the package that reads files of a kind; '' where that is not known. */
export async function readerVersion(kind: keyof typeof NAMES): Promise<string> {
  try {
    const name = NAMES[kind];
    const entry = fileURLToPath(import.meta.resolve(name));
    const root = entry.slice(0, entry.lastIndexOf(name) + name.length);
    const { version } = JSON.parse(await readFile(`${root}/package.json`, 'utf8'));
    return String(version);
  } catch {
    return '';
  }
}
