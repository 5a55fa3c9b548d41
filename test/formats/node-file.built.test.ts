import { execFileSync } from 'node:child_process';
import {
  closeSync,
  mkdtempSync,
  openSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  openFile,
  readHead,
  readShared,
  readWhole,
  sharedRoom,
} from '../../src/bytes/node-file.js';
import { fileError } from '../../src/bytes/node-file-error.js';
import { listFolder, whatLiesAt } from '../../src/bytes/node-path-content.js';
import { readTokenVectors } from '../../src/formats/node-token-vectors.js';
import { readFloats, readNpyFloats } from '../../src/formats/npy/node-npy.js';
import { writeNpy } from '../../src/formats/npy/npy.js';
import { fileBytes, readBeir } from '../../src/formats/texts/node-beir.js';
import { listTextFiles } from '../../src/formats/texts/node-text-folder.js';

let root: string;
let server: Server;
/** What is no file, by its name, and what is said of it. */
const NO_FILES: Record<string, RegExp> = {
  nothing: /nothing: no such file$/,
  pipe: /pipe: a named pipe, expected a file/,
  socket: /socket: a socket or a device, expected a file$/,
  device: /device: a device, expected a file$/,
  folder: /folder: a folder, expected a file$/,
  lost: /lost: no such file: a link that leads nowhere$/,
  'file/below': /below: no such file: what its path names as a folder is none$/,
  circle: /circle: no such file: links that lead to each other$/,
};

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'lemur-file-'));
  execFileSync('mkfifo', [join(root, 'pipe')]);
  execFileSync('mkdir', [join(root, 'folder')]);
  writeFileSync(join(root, 'file'), 'text');
  symlinkSync('/dev/zero', join(root, 'device'));
  symlinkSync('nowhere', join(root, 'lost'));
  symlinkSync('circle', join(root, 'circle'));
  server = createServer();
  await new Promise<void>((resolve) => void server.listen(join(root, 'socket'), resolve));
});
afterAll(() => {
  server.close();
  rmSync(root, { recursive: true });
});

describe.each(Object.entries(NO_FILES))(
  '%s in place of a file is an error at once',
  (name, message) => {
    const wholeOf = async (path: string): Promise<void> => {
      for await (const _ of fileBytes(path));
    };
    test.each([
      ['openFile', openFile],
      ['readWhole', readWhole],
      ['readShared', readShared],
      ['readHead', (path: string) => readHead(path, 4)],
      ['fileBytes', wholeOf],
      ['readNpyFloats', readNpyFloats],
      ['readFloats', (path: string) => readFloats(path, [1])],
    ])('%s', async (_, read: (path: string) => Promise<unknown>) => {
      await expect(read(join(root, name))).rejects.toMatchObject({
        name: 'LemurError',
        code: 'not-found',
        message: expect.stringMatching(message),
      });
    });
  },
);

test('a folder of vectors or of a data set in which one file is a pipe is refused at once', async () => {
  for (const name of ['tokens.npy', 'counts.npy']) {
    const folder = mkdtempSync(join(root, 'vectors-'));
    writeFileSync(
      join(folder, 'tokens.npy'),
      writeNpy({ shape: [1, 1], data: new Float32Array(1) }),
    );
    writeFileSync(join(folder, 'counts.npy'), writeNpy({ shape: [1], data: Int32Array.of(1) }));
    rmSync(join(folder, name));
    execFileSync('mkfifo', [join(folder, name)]);
    await expect(readTokenVectors(folder)).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining(`${name}: a named pipe`),
    });
  }
  const folder = mkdtempSync(join(root, 'beir-'));
  for (const name of ['corpus.jsonl', 'queries.jsonl', 'qrels.tsv'])
    execFileSync('mkfifo', [join(folder, name)]);
  await expect(readBeir(folder)).rejects.toMatchObject({
    code: 'not-found',
    message: expect.stringContaining('qrels.tsv: a named pipe'),
  });
});

test('says what lies at a path, without waiting for it', async () => {
  const found = await Promise.all(
    Object.keys(NO_FILES).map(async (name) => [name, await whatLiesAt(join(root, name))]),
  );
  expect(Object.fromEntries(found)).toEqual({
    nothing: undefined,
    pipe: 'other',
    socket: 'other',
    device: 'other',
    folder: 'folder',
    lost: 'other',
    'file/below': undefined,
    circle: 'other',
  });
});

test('a pipe that is open already is read as it comes, gzipped or not', async () => {
  for (const pieces of [
    ['a', 'bc'],
    [gzipSync('abc').subarray(0, 1), gzipSync('abc').subarray(1)],
  ]) {
    const descriptor = openSync(join(root, 'pipe'), 'r+');
    expect(await whatLiesAt(`/dev/fd/${descriptor}`)).toBe('pipe');
    const chunks = fileBytes(`/dev/fd/${descriptor}`);
    for (const piece of pieces) writeSync(descriptor, Buffer.from(piece));
    let text = Buffer.from((await chunks.next()).value ?? '').toString();
    closeSync(descriptor);
    for await (const chunk of chunks) text += Buffer.from(chunk);
    expect(text).toBe('abc');
  }
});

describe('errors of the system name the path and the reason', () => {
  const system = (code: string, errno: number): Error =>
    Object.assign(new Error(code), { code, errno, syscall: 'open' });

  test('files, folders, and what is neither', async () => {
    expect(fileError('a', system('EMFILE', -24))).toMatchObject({
      code: 'storage-failed',
      message: 'a: could not be read: too many files are open',
    });
    expect(fileError('a', system('EACCES', -13))).toMatchObject({
      code: 'storage-failed',
      message: 'a: could not be read: no permission',
    });
    expect(fileError('a', system('ENOTSUP', -95))).toMatchObject({
      code: 'storage-failed',
      message: expect.stringMatching(/^a: could not be read: op/),
    });
    const ours = new TypeError('ours');
    expect(fileError('a', ours)).toBe(ours);
    await expect(listFolder(join(root, 'file'))).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('is none'),
    });
    await expect(listTextFiles(join(root, 'nothing'))).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringMatching(/nothing: no such folder$/),
    });
  });

  test('a path with NUL in it', async () => {
    const nul = { code: 'invalid-argument', message: 'a\\u0000b: a path with NUL in it' };
    for (const read of [
      openFile,
      readWhole,
      readShared,
      whatLiesAt,
      listFolder,
      listTextFiles,
      readTokenVectors,
      readBeir,
    ])
      await expect((read as (path: string) => Promise<unknown>)('a\0b')).rejects.toMatchObject({
        ...nul,
        name: 'LemurError',
        message: expect.stringContaining('a path with NUL'),
      });
  });
});

test('a .npy file whose header has room for more is read, up to 1 MiB of it', async () => {
  const data = Float32Array.of(1, 2, 3, 4, 5, 6);
  const plain = writeNpy({ shape: [3, 2], data });
  const dict = Buffer.from(plain).toString('latin1', 10, plain.indexOf(10, 10)).trimEnd();
  const padded = (version: number, length: number): Uint8Array => {
    const head = Buffer.alloc(version === 1 ? 10 : 12);
    head.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0]);
    if (version === 1) head.writeUInt16LE(length, 8);
    else head.writeUInt32LE(length, 8);
    return Buffer.concat([
      head,
      Buffer.from(`${dict.padEnd(length - 1)}\n`),
      Buffer.from(data.buffer),
    ]);
  };
  const path = join(root, 'padded.npy');
  for (const [version, length] of [
    [1, 118],
    [1, 4086],
    [1, 65535],
    [2, 100_000],
    [3, 1_000_000],
  ]) {
    writeFileSync(path, padded(version, length));
    expect(await readNpyFloats(path)).toMatchObject({ shape: [3, 2], data });
  }
  writeFileSync(path, padded(2, 2_000_000));
  await expect(readNpyFloats(path)).rejects.toMatchObject({
    code: 'bad-file',
    message: expect.stringContaining('a .npy header of 2000012 bytes, at most 1048576 are read'),
  });
  for (const length of [0, 5, 9, 11, 20]) {
    writeFileSync(path, plain.subarray(0, length));
    await expect(readNpyFloats(path)).rejects.toMatchObject({ code: 'bad-file' });
  }
});

describe('files larger than there is room for', () => {
  test('vectors, before anything is read', async () => {
    const path = join(root, 'large.npy');
    const head = writeNpy({ shape: [0, 8, 128], data: new Float32Array(0) });
    const rows = 2 ** 31;
    writeFileSync(
      path,
      Buffer.from(head)
        .toString('latin1')
        .replace('(0, 8, 128), }          ', `(${rows}, 8, 128), } `),
      'latin1',
    );
    truncateSync(path, head.length + rows * 8 * 128 * 4);
    await expect(readTokenVectors(path)).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringMatching(/large\.npy: .*bytes of memory/),
    });
    expect(() => sharedRoom(2 ** 52, 'x')).toThrow(
      /^x: its vectors take 4503599627370496 bytes of memory/,
    );
  });

  test('what is read as a whole', async () => {
    await expect(readWhole(join(root, 'file'), 3)).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining('4 bytes, expected at most the 3'),
    });
  });
});
