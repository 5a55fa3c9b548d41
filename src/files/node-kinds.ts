import { basename, extname } from 'node:path';

/** How a file is read. */
export type FileKindName =
  | 'markdown'
  | 'text'
  | 'html'
  | 'csv'
  | 'pdf'
  | 'docx'
  | 'media'
  | 'unknown';

const KINDS: Readonly<Record<string, FileKindName>> = {
  ...of('markdown', 'md mdx markdown mkd'),
  ...of('text', 'txt text rst org adoc json jsonl ndjson'),
  ...of('html', 'html htm xhtml'),
  ...of('csv', 'csv tsv'),
  ...of('pdf', 'pdf'),
  ...of('docx', 'docx'),
  ...of(
    'media',
    'png jpg jpeg gif webp avif heic bmp ico tif tiff psd mp3 m4a ogg flac wav mp4 m4v ' +
      'mov avi mkv webm zip gz tgz bz2 xz zst 7z rar tar jar woff woff2 ttf otf eot exe ' +
      'dll so dylib a o class wasm pyc bin dat db sqlite sqlite3 iso dmg deb rpm onnx pt ' +
      'npy npz safetensors parquet',
  ),
};

function of(kind: FileKindName, endings: string): Record<string, FileKindName> {
  return Object.fromEntries(endings.split(' ').map((ending) => [`.${ending}`, kind]));
}

/** What tools write, which nobody reads. */
const GENERATED = /(^|\.)(lock|map|svg)$|\.min\.(js|css)$|^(package-lock|npm-shrinkwrap)\.json$/i;

/** Kinds whose lines are not those of the file. */
const CONVERTED: readonly FileKindName[] = ['html', 'pdf', 'docx'];

/**
 * By the ending of its name. `media`: it is not looked into. `unknown`: it is a text where its
 * bytes are one.
 */
export function kindOf(name: string): FileKindName {
  return KINDS[extname(name).toLowerCase()] ?? 'unknown';
}

export function isGenerated(name: string): boolean {
  return GENERATED.test(basename(name));
}

/** Whether the lines of its text are those of the file. */
export function keepsLines(name: string): boolean {
  return !CONVERTED.includes(kindOf(name));
}
