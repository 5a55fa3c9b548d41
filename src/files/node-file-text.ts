import { isUtf8 } from 'node:buffer';
import { badFile } from '../errors.js';
import { LongText } from '../long-text.js';
import { pacer } from '../pacer.js';
import { csvText } from './node-csv-text.js';
import { docxText } from './node-docx-text.js';
import { splitFrontMatter } from './node-front-matter.js';
import { htmlText } from './node-html-text.js';
import { type FileKindName, kindOf } from './node-kinds.js';
import { pdfText } from './node-pdf-text.js';

/** What a file says. */
export interface FileText {
  readonly text: string;
  /** Of its front matter, its `<title>`, its first heading; undefined: none. */
  readonly title: string | undefined;
  /** Its front matter, without the title. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Where a heading of Markdown or Org may begin, and what is between that and its words. */
const HEADINGS = /^[^\S\n\r\u2028\u2029]*#/gm;
const MARK = /(?:\s+|\+title:\s*)(?=\S)/iy;
const LINE_END = /[\n\r\u2028\u2029]/;
/** Characters in which a heading is looked for. */
const BEGIN = 4096;
/** Bytes that are decoded in one go. */
const DECODED_AT_ONCE = 1 << 18;

/** Reads a file by its name and bytes. Rejects with what is wrong, and 'missing-package'. */
export async function fileText(name: string, bytes: Uint8Array): Promise<FileText> {
  const kind = kindOf(name);
  if (kind === 'pdf' || kind === 'docx') {
    const { title, text } = await (kind === 'pdf' ? pdfText(bytes) : docxText(bytes));
    return { text, title: title || headingOf(text), fields: {} };
  }
  const decoded = await decode(bytes, name);
  if (kind === 'html') {
    const { title, text } = await htmlText(decoded);
    return { text, title: title || headingOf(text), fields: {} };
  }
  if (kind === 'csv') return { text: await csvText(decoded), title: undefined, fields: {} };
  if (kind !== 'markdown') {
    const title = /\.(org)$/i.test(name) ? headingOf(decoded) : undefined;
    return { text: decoded, title, fields: {} };
  }
  const { text, fields } = splitFrontMatter(decoded);
  const { title: given, ...others } = fields;
  const own = typeof given === 'string' ? given.trim() : '';
  return { text, title: own || headingOf(text), fields: others };
}

/** Why bytes are no text of their kind; undefined: they may be one. */
export function notText(kind: FileKindName, bytes: Uint8Array): 'binary' | 'bad' | undefined {
  if (kind === 'pdf' || kind === 'docx' || isUtf16(bytes)) return undefined;
  if (bytes.includes(0)) return 'binary';
  if (isUtf8(bytes)) return undefined;
  return kind === 'unknown' ? 'binary' : 'bad';
}

/** Where lines end with `\r` alone, as on old systems, they end with `\n`: places stay the same. */
async function decode(bytes: Uint8Array, name: string): Promise<string> {
  const isOld = bytes.includes(0x0d) && !bytes.includes(0x0a);
  const pace = pacer();
  const encoding = isUtf16(bytes) ? `utf-16${bytes[0] === 0xff ? 'le' : 'be'}` : 'utf-8';
  const decoder = new TextDecoder(encoding, { fatal: true });
  const text = new LongText();
  try {
    for (let at = 0; at < bytes.length; at += DECODED_AT_ONCE) {
      const part = bytes.subarray(at, at + DECODED_AT_ONCE);
      const decoded = decoder.decode(part, { stream: at + DECODED_AT_ONCE < bytes.length });
      text.put(isOld ? decoded.replaceAll('\r', '\n') : decoded);
      await pace();
    }
  } catch (cause) {
    throw badFile(name, 'not UTF-8', cause);
  }
  return text.join();
}

/** By the mark at its beginning. */
function isUtf16(bytes: Uint8Array): boolean {
  const [first, second] = bytes;
  return (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
}

/** The first heading of a text, without the marks at its end. */
function headingOf(text: string): string | undefined {
  const begin = text.slice(0, BEGIN);
  for (const { 0: found, index } of begin.matchAll(HEADINGS)) {
    MARK.lastIndex = index + found.length;
    if (!MARK.test(begin)) continue;
    // no expression that tries all that may be white space
    const [line] = begin.slice(MARK.lastIndex).split(LINE_END, 1);
    return line.trimEnd().replace(/#+$/, '').trimEnd() || line[0];
  }
  return undefined;
}
