import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, expect } from 'vitest';
import { openCheckpoint } from '../../../dist/encoder/checkpoint/checkpoint.js';
import { needJson, readJson } from '../../../dist/encoder/files/checkpoint-files.js';
import { openModel } from '../../../dist/encoder/files/node-model.js';
import { type LoadEncoderOptions, loadEncoder } from '../../../dist/entry/node-encoder.js';
import { temporaryFolder } from '../../temporary-folder.js';
import { smallColbert } from '../small-checkpoint.js';

export const ID = 'someone/colbert-small';
/** The files of the checkpoint that the hub has. */
export const bytes = new Map<string, Buffer>(
  Object.entries(smallColbert()).map(([name, content]) => [
    name,
    Buffer.from(content instanceof Uint8Array ? content : JSON.stringify(content)),
  ]),
);

export const sha256 = (content: Uint8Array): string =>
  createHash('sha256').update(content).digest('hex');
export const gitSha1 = (content: Uint8Array): string =>
  createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');

export type Answer = (
  request: IncomingMessage,
  response: ServerResponse,
  content: Buffer | undefined,
) => void;

const plainly: Answer = (_request, response, content) => {
  if (content)
    response
      .writeHead(200, {
        'content-type': 'application/octet-stream',
        'content-length': content.length,
      })
      .end(content);
  else response.writeHead(404, { 'content-type': 'text/plain' }).end('Entry not found');
};

const addressOf = (server: Server): string =>
  `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

/** A hub on this machine with one checkpoint, and folders to load it into. */
export class LocalHub {
  /** Answers that are not as they should be, by the file's name. */
  answers: Record<string, Answer> = {};
  /** Names of the files that were asked for. */
  asked: string[] = [];
  /** What the place where it keeps large files was asked for. */
  seen: IncomingMessage[] = [];
  readonly root: string;
  #caches = 0;
  readonly #hub = createServer((request, response) => {
    const path = (request.url ?? '').replace(/^.*\/resolve\/[^/]*\//, '');
    this.asked.push(path);
    (this.answers[path] ?? plainly)(request, response, bytes.get(path));
  });
  readonly #storage = createServer((request, response) => {
    this.seen.push(request);
    plainly(request, response, bytes.get((request.url ?? '/').slice(1)));
  });

  private constructor(root: string) {
    this.root = root;
  }

  /** One that is closed after the tests of the file. */
  static async start(): Promise<LocalHub> {
    const hub = new LocalHub(await temporaryFolder('download'));
    for (const server of [hub.#hub, hub.#storage])
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    afterAll(() => hub.close());
    return hub;
  }

  get address(): string {
    return addressOf(this.#hub);
  }

  get storageAddress(): string {
    return addressOf(this.#storage);
  }

  close(): void {
    for (const server of [this.#hub, this.#storage]) {
      server.closeAllConnections();
      server.close();
    }
  }

  freshCache(): string {
    return join(this.root, `cache-${this.#caches++}`);
  }

  placed(cacheFolder: string, options: LoadEncoderOptions): LoadEncoderOptions {
    return { cacheFolder, endpoint: this.address, ...options };
  }

  /** What `loadEncoder` asks for, without the time that a worker takes. */
  async load(cacheFolder: string, options: LoadEncoderOptions = {}): Promise<void> {
    const files = await openModel(ID, this.placed(cacheFolder, options));
    const { dim } = await openCheckpoint(files, 'float32');
    await needJson(files, 'tokenizer.json');
    await readJson(files, 'tokenizer_config.json');
    await files.settle?.();
    expect(dim).toBe(6);
  }

  async works(cacheFolder: string, options: LoadEncoderOptions = {}): Promise<void> {
    const placed = this.placed(cacheFolder, { threads: 1, runtime: 'node', ...options });
    const encoder = await loadEncoder(ID, placed);
    expect((await encoder.encodeQuery(['red owls'])).dim).toBe(6);
    await encoder.close();
  }

  /** Loads with these answers, which must fail, then with right ones. */
  async failsOnce(
    wrong: Record<string, Answer>,
    cacheFolder: string = this.freshCache(),
  ): Promise<Error & { code?: string }> {
    this.answers = wrong;
    const error = await this.load(cacheFolder).then(
      () => expect.unreachable('expected a rejection'),
      (reason: Error) => reason,
    );
    const left = await readdir(cacheFolder, { recursive: true }).catch(() => []);
    expect(left.filter((name) => /\.(tmp|part)$/.test(name))).toEqual([]);
    this.answers = {};
    await this.load(cacheFolder);
    return error;
  }
}
