import { LemurError } from '../errors.js';

/** What is used of `unpdf`. */
interface Unpdf {
  getDocumentProxy(
    data: Uint8Array,
    options: { verbosity: number; isEvalSupported: boolean },
  ): Promise<PdfDocument>;
}

/** A PDF file that is open. */
export interface PdfDocument {
  readonly numPages: number;
  getPage(number: number): Promise<{
    getTextContent(): Promise<{ items: { str?: string; hasEOL?: boolean }[] }>;
    cleanup(): unknown;
  }>;
  getMetadata(): Promise<{ info?: { Title?: unknown } }>;
  destroy(): Promise<unknown>;
}

/** What is used of `mammoth`. */
interface Mammoth {
  convertToHtml(
    input: { buffer: Buffer },
    options: { convertImage: unknown; externalFileAccess: boolean },
  ): Promise<{ value: string }>;
  images: { imgElement(make: () => Promise<{ src: string }>): unknown };
}

/** Opens PDF files. Rejects with 'missing-package'. */
export async function loadUnpdf(): Promise<Unpdf> {
  return orMissing('unpdf', '.pdf', async () => (await import('unpdf')) as unknown as Unpdf);
}

/** Reads Word's files. Rejects with 'missing-package'. */
export async function loadMammoth(): Promise<Mammoth> {
  return orMissing('mammoth', '.docx', async () => {
    const loaded = (await import('mammoth')) as unknown as { default?: Mammoth } & Mammoth;
    return loaded.default ?? loaded;
  });
}

async function orMissing<T>(name: string, files: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    const problem = `${files} files need the package ${name}: npm install ${name}`;
    throw new LemurError('missing-package', problem, { where: files, package: name }, { cause });
  }
}
