import { dirname } from 'node:path';
import { addAbortSignal, type Readable } from 'node:stream';
import { fileKind } from '../bytes/file-kind.js';
import { listFolder, openPipe, whatLiesAt } from '../bytes/node-path-content.js';
import { invalidArgument, LemurError } from '../errors.js';
import type { ByteStream } from '../formats/json/jsonl.js';
import { readTokenVectors } from '../formats/node-token-vectors.js';
import type { BeirDocument } from '../formats/texts/beir.js';
import { unpacked } from '../formats/texts/node-beir.js';
import { NPZ, parseTokenVectors } from '../formats/token-vectors.js';
import type { TokenSets } from '../tokens/token-sets.js';
import { collect } from './collect.js';
import { interruptible } from './context.js';
import { documentsBeside, numbered } from './documents-beside.js';
import { isPackedText } from './one-file.js';
import { hasTexts, hasVectors, pathKind } from './path-kind.js';
import { openTexts, streamTexts, type TextOptions, type TextSource } from './text-source.js';
import { withoutZeroRows } from './zero-rows.js';

/** Standard input, where a path is expected. */
export const STDIN = '-';

/**
 * The content of a path or of standard input: texts as they are read, or token vectors with the
 * texts (or just the ids) that they are of.
 */
export type Source = TextSource | VectorSource;

export interface VectorSource {
  kind: 'vectors';
  label: string;
  documents: readonly BeirDocument[];
  tokens: TokenSets;
}

export interface SourceOptions extends TextOptions {
  openInput: () => Readable;
  signal: AbortSignal;
  /** Takes token vectors that are zero throughout for tokens; they are left out otherwise. */
  keepZeros?: boolean | undefined;
}

type VectorOptions = Pick<SourceOptions, 'openInput' | 'signal' | 'reporter' | 'keepZeros'> & {
  single?: boolean;
};

/**
 * Opens texts, which are then read as they are needed, or token vectors, which are read. Every
 * error names the file, and the line or row.
 */
export function openSource(path: string, options: SourceOptions): Promise<Source> {
  return interruptible(options.signal, readSource(path, options));
}

async function readSource(path: string, options: SourceOptions): Promise<Source> {
  const stream = await streamAt(path, options);
  if (stream) return openStream(stream, options);
  const kind = await pathKind(path);
  if (hasVectors(kind)) {
    const tokens = await vectorsAt(path, options);
    const folder = kind === 'token vectors' ? path : dirname(path);
    const documents = await documentsBeside(folder, tokens.counts.length, options);
    return { kind: 'vectors', label: path, tokens, documents };
  }
  const isPacked = (kind === 'unknown' || kind === 'torch file') && isPackedText(path);
  if (hasTexts(kind) || isPacked) return openTexts(path, kind, options);
  if (kind === '.npz') throw invalidArgument(path, NPZ);
  const got = kind === 'unknown' ? await nothingAt(path) : `holds: ${kind}`;
  throw unexpected(path, got, `${TEXTS} or ${VECTORS}`);
}

async function nothingAt(path: string): Promise<string> {
  const isEmpty = (await whatLiesAt(path)) === 'folder' && (await listFolder(path)).length === 0;
  return isEmpty ? 'an empty folder' : 'nothing to read here';
}

const TEXTS = 'texts (a folder of files, one such file, JSON lines, a BEIR folder)';
const VECTORS = 'token vectors (a folder with tokens.npy and counts.npy, .npy, safetensors)';

function unexpected(path: string, got: string, expected: string): LemurError {
  const message = `${path}: ${got}; expected ${expected}`;
  return new LemurError('invalid-argument', message, { where: path });
}

/** Token vectors with the ids beside them, where texts would make no sense. */
export function openVectors(
  path: string,
  options: VectorOptions,
): Promise<{ tokens: TokenSets; ids: string[] }> {
  return interruptible(options.signal, readVectors(path, options));
}

async function readVectors(
  path: string,
  options: VectorOptions,
): Promise<{ tokens: TokenSets; ids: string[] }> {
  const stream = await streamAt(path, options);
  const kind = stream ? undefined : await pathKind(path);
  if (kind && !hasVectors(kind))
    throw unexpected(path, kind === '.npz' ? NPZ : `holds: ${kind}`, VECTORS);
  const tokens = stream
    ? await vectorsOf(stream.chunks, stream.label, options)
    : await vectorsAt(path, options);
  const count = tokens.counts.length;
  const documents =
    kind === 'token vectors' ? await documentsBeside(path, count, options) : numbered(count);
  return { tokens, ids: documents.map(({ id }) => id) };
}

async function vectorsAt(path: string, options: VectorOptions): Promise<TokenSets> {
  const { single, signal } = options;
  return withoutZeroRows(await readTokenVectors(path, { single, signal }), path, options);
}

async function vectorsOf(
  chunks: ByteStream & AsyncIterable<Uint8Array>,
  label: string,
  options: VectorOptions,
): Promise<TokenSets> {
  const { single, signal } = options;
  const bytes = Buffer.concat(await collect(chunks));
  return withoutZeroRows(await parseTokenVectors(bytes, label, { single, signal }), label, options);
}

/**
 * A stream that can be read once: standard input, or a pipe that the shell has opened, as it does
 * for <(...); undefined for other paths.
 */
async function streamAt(
  path: string,
  { openInput, signal }: VectorOptions,
): Promise<{ label: string; chunks: Readable } | undefined> {
  if (path === STDIN) return { label: 'standard input', chunks: openInput() };
  return (await whatLiesAt(path)) === 'pipe'
    ? { label: path, chunks: addAbortSignal(signal, openPipe(path)) }
    : undefined;
}

/** JSON lines or the bytes of token vectors, whichever comes. */
async function openStream(
  stream: { label: string; chunks: Readable },
  options: SourceOptions,
): Promise<Source> {
  const { label } = stream;
  const chunks = unpacked(stream.chunks, label);
  const read: Uint8Array[] = [];
  while (read.reduce((sum, chunk) => sum + chunk.length, 0) < 16) {
    const { done, value } = await chunks.next();
    if (done) break;
    read.push(value);
  }
  const head = Buffer.concat(read);
  const bytes = (async function* (): AsyncGenerator<Uint8Array> {
    yield head;
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
  })();
  if (fileKind(head) === 'text') return streamTexts(bytes, label, options);
  const tokens = await vectorsOf(bytes, label, options);
  return { kind: 'vectors', label, tokens, documents: numbered(tokens.counts.length) };
}
