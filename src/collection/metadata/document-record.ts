import { invalidArgument } from '../../errors.js';
import { nextMacrotask } from '../../pacer.js';
import type { Metadata } from './metadata.js';
import type { PassageRecord } from './passage-record.js';

/** A document without its vectors. */
export interface DocumentRecord {
  text: string | undefined;
  metadata: Metadata | undefined;
  /** Where it stands in its source; undefined: it is a whole document. */
  passage?: PassageRecord | undefined;
}

/** Characters that are written in one go. */
const SLICE = 1 << 20;

const encoder = new TextEncoder();
const whole = new TextDecoder();

/**
 * The JSON of a document's record, `{"text":...,"metadata":...,"passage":...}`, all optional, in
 * UTF-8. Gives way to other work between parts of a long text. Rejects with 'invalid-argument'
 * where it is longer than a string can be.
 */
export async function encodeRecord({
  id,
  text,
  metadata,
  passage,
}: DocumentRecord & { id: string }): Promise<Uint8Array> {
  try {
    return await encoded({ text, metadata, passage });
  } catch (cause) {
    const where = `document ${JSON.stringify(id)}`;
    const problem = 'its text and metadata are longer than a string can be as JSON';
    throw invalidArgument(where, problem, cause);
  }
}

async function encoded({ text, ...rest }: DocumentRecord): Promise<Uint8Array> {
  if (text === undefined || text.length <= SLICE)
    return encoder.encode(JSON.stringify({ text, ...rest }));
  const parts = [encoder.encode('{"text":"')];
  for (let from = 0; from < text.length; ) {
    let to = Math.min(text.length, from + SLICE);
    // a pair that is cut would be two halves
    if (to < text.length && isHigh(text.charCodeAt(to - 1))) to--;
    parts.push(encoder.encode(JSON.stringify(text.slice(from, to)).slice(1, -1)));
    from = to;
    await nextMacrotask();
  }
  const json = JSON.stringify(rest);
  parts.push(encoder.encode(json === '{}' ? '"}' : `",${json.slice(1)}`));
  await nextMacrotask();
  const out = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** A record of its bytes. Gives way to other work between parts of long ones. */
export async function decodeRecord(bytes: Uint8Array): Promise<DocumentRecord> {
  let json = '';
  if (bytes.length <= SLICE) json = whole.decode(bytes);
  else {
    const decoder = new TextDecoder();
    for (let from = 0; from < bytes.length; from += SLICE) {
      json += decoder.decode(bytes.subarray(from, from + SLICE), {
        stream: from + SLICE < bytes.length,
      });
      await nextMacrotask();
    }
  }
  const { text, metadata, passage } = JSON.parse(json) as Partial<DocumentRecord>;
  return passage ? { text, metadata, passage } : { text, metadata };
}

function isHigh(code: number): boolean {
  return code >= 0xd800 && code < 0xdc00;
}
