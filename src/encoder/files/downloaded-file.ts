import { type ByteSource, readAll, readExactly } from '../../bytes/byte-source.js';
import { badFile, isLemurError, type LemurError } from '../../errors.js';
import { openSafetensors } from '../../formats/safetensors/safetensors-file.js';
import { openZip } from '../../formats/zip/zip-file.js';

/**
 * Whether a file begins as a page for readers does: what a network's sign-in page answers in place
 * of what was asked for.
 */
export function beginsAsPage(chunk: Uint8Array): boolean {
  return /^\s*<(!doctype|html|head|body|\?xml)/i.test(
    new TextDecoder().decode(chunk.subarray(0, 200)),
  );
}

/** Whether a file of that name is a checkpoint's settings or tokenizer, in JSON. */
export function isSettings(name: string): boolean {
  return name.endsWith('.json') || name.endsWith('.metadata');
}

/**
 * Raises 'bad-file' where a file is not of the kind that its name says, or ends too early. Of names
 * that say nothing any content is right.
 */
export async function checkWhole(name: string, source: ByteSource): Promise<void> {
  if (isSettings(name)) await checkJson(source);
  if (name.endsWith('.onnx')) await checkMessage(source);
  try {
    if (name.endsWith('.safetensors')) await openSafetensors(source);
    if (name.endsWith('.bin')) await openZip(source);
  } catch (error) {
    // of a kind that is not read here: that is for who loads it to say
    if (!isLemurError(error, 'unsupported')) throw error;
  }
}

async function checkJson(source: ByteSource): Promise<void> {
  try {
    JSON.parse(new TextDecoder().decode(await readAll(source)));
  } catch (cause) {
    if (isLemurError(cause)) throw cause;
    const { name: where } = source;
    throw badFile(where, 'not JSON, or cut off', cause);
  }
}

/**
 * A message of protobuf: fields, of which those of bytes say how many they have, up to the end of
 * the file.
 */
async function checkMessage(source: ByteSource): Promise<void> {
  const { size, name: where } = source;
  const broken = (): LemurError => badFile(where, 'no ONNX model, or cut off');
  if (size === 0) throw broken();
  for (let at = 0; at < size; ) {
    const head = await readExactly(source, at, Math.min(20, size - at));
    const tag = varint(head, 0);
    const value = tag && varint(head, tag.end);
    if (!tag) throw broken();
    const kind = tag.value % 8;
    if (kind === 0 && value) at += value.end;
    else if (kind === 1) at += tag.end + 8;
    else if (kind === 2 && value) at += value.end + value.value;
    else if (kind === 5) at += tag.end + 4;
    else throw broken();
    if (at > size) throw broken();
  }
}

function varint(bytes: Uint8Array, from: number): { value: number; end: number } | undefined {
  let value = 0;
  for (let i = from; i < bytes.length && i < from + 10; i++) {
    value += (bytes[i] % 128) * 128 ** (i - from);
    if (bytes[i] < 128) return { value, end: i + 1 };
  }
  return undefined;
}
