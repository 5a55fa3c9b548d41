import { promisify } from 'node:util';
import { inflateRaw } from 'node:zlib';
import { badFile, unsupported } from '../errors.js';
import { htmlText } from './node-html-text.js';
import { loadMammoth } from './node-optional.js';

// in another thread
const inflate = promisify<Uint8Array, { maxOutputLength: number }, Buffer>(inflateRaw);

/** Bytes that the parts of a file may have, unpacked. */
const MOST_BYTES = 2 ** 26;
/** Parts. */
const MOST_PARTS = 4096;
const [END, CENTRAL] = [0x06054b50, 0x02014b50];

/**
 * The text of a Word file. Rejects with 'missing-package', 'bad-file' for what is no zip file,
 * 'unsupported' where it unpacks to too much, and with what the reader says.
 */
export async function docxText(bytes: Uint8Array): Promise<{ title: string; text: string }> {
  const { convertToHtml, images } = await loadMammoth();
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  await checkParts(buffer);
  const { value } = await convertToHtml(
    { buffer },
    { convertImage: images.imgElement(async () => ({ src: '' })), externalFileAccess: false },
  );
  return { title: '', text: (await htmlText(value)).text };
}

/**
 * Unpacks the parts that are read, in bounds: what a directory says of their lengths may be false.
 */
async function checkParts(file: Buffer): Promise<void> {
  const end = file.lastIndexOf(Buffer.from(Uint32Array.of(END).buffer));
  if (end < 0 || end + 22 > file.length) throw badFile('.docx', 'no zip file');
  const count = file.readUInt16LE(end + 10);
  if (count > MOST_PARTS) throw unsupported('.docx', `${count} parts`);
  let room = MOST_BYTES;
  let at = file.readUInt32LE(end + 16);
  for (let i = 0; i < count; i++) {
    if (at + 46 > file.length || file.readUInt32LE(at) !== CENTRAL)
      throw badFile('.docx', 'a damaged zip file');
    const [name, extra, comment] = [28, 30, 32].map((place) => file.readUInt16LE(at + place));
    const isXml = /\.(xml|rels)$/i.test(file.toString('latin1', at + 46, at + 46 + name));
    if (isXml) room -= await unpackedBytes(file, at, room);
    at += 46 + name + extra + comment;
  }
}

async function unpackedBytes(file: Buffer, entry: number, most: number): Promise<number> {
  const method = file.readUInt16LE(entry + 10);
  const packed = file.readUInt32LE(entry + 20);
  if (method === 0) return packed;
  const local = file.readUInt32LE(entry + 42);
  if (local + 30 > file.length) throw badFile('.docx', 'a damaged zip file');
  const begin = local + 30 + file.readUInt16LE(local + 26) + file.readUInt16LE(local + 28);
  try {
    const part = file.subarray(begin, begin + packed);
    return (await inflate(part, { maxOutputLength: Math.max(1, most) })).length;
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== 'ERR_BUFFER_TOO_LARGE')
      throw badFile('.docx', 'a damaged zip file', cause);
    throw unsupported('.docx', `it unpacks to more than ${MOST_BYTES} bytes`, cause);
  }
}
