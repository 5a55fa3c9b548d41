import { crc32 } from '../../bytes/crc32.js';

/**
 * One line of JSON with a checksum: `{"format":F,"version":V,"crc32":N,"<key>":{...}}`, in this
 * order, and a newline.
 */
export interface CheckedForm {
  readonly format: string;
  readonly key: string;
}

/** The content of such a line; `intact`: the checksum, of the text of the value, is right. */
export interface CheckedJson {
  version: number;
  json: string;
  expected: number;
  actual: number;
  intact: boolean;
}

export function encodeCheckedJson(
  { format, key }: CheckedForm,
  version: number,
  value: unknown,
): Uint8Array {
  const encoder = new TextEncoder();
  const json = JSON.stringify(value);
  const checksum = crc32(encoder.encode(json));
  const head = `"format":"${format}","version":${version},"crc32":${checksum}`;
  return encoder.encode(`{${head},"${key}":${json}}\n`);
}

/**
 * undefined for another text. The end of the line may have become that of Windows, as version
 * control does it.
 */
export function readCheckedJson(
  text: string,
  { format, key }: CheckedForm,
): CheckedJson | undefined {
  const found = new RegExp(
    `^\\{"format":"${format}","version":(\\d+),"crc32":(\\d+),"${key}":(.*)\\}\\r?\\n$`,
    's',
  ).exec(text);
  if (!found) return undefined;
  const [, version, sum, json] = found;
  const actual = crc32(new TextEncoder().encode(json));
  return {
    version: Number(version),
    json,
    expected: Number(sum),
    actual,
    intact: actual === Number(sum),
  };
}
