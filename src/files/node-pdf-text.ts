import { unsupported } from '../errors.js';
import { pacer } from '../pacer.js';
import { loadUnpdf, type PdfDocument } from './node-optional.js';

/** Pages that are read of a file, and characters. */
const MOST_PAGES = 10_000;
const MOST_CHARACTERS = 2 ** 24;

/**
 * The text of a PDF file, pages with an empty line between. Rejects with 'missing-package', with
 * 'unsupported' for more text than a document has, and with what the reader says of a damaged file.
 */
export async function pdfText(bytes: Uint8Array): Promise<{ title: string; text: string }> {
  const { getDocumentProxy } = await loadUnpdf();
  // the reader takes over what it is given; it warns of nothing
  const options = { verbosity: 0, isEvalSupported: false };
  const pdf = await getDocumentProxy(new Uint8Array(bytes), options);
  try {
    const pages: string[] = [];
    let characters = 0;
    const pace = pacer();
    for (let number = 1; number <= pdf.numPages; number++) {
      await pace();
      const page = await pageText(pdf, number);
      characters += page.length;
      if (number > MOST_PAGES || characters > MOST_CHARACTERS)
        throw unsupported('.pdf', `more than ${MOST_PAGES} pages or ${MOST_CHARACTERS} characters`);
      pages.push(page);
    }
    const { info } = await pdf.getMetadata().catch(() => ({ info: undefined }));
    const title = typeof info?.Title === 'string' ? info.Title.trim() : '';
    return { title, text: pages.filter(Boolean).join('\n\n') };
  } finally {
    await pdf.destroy();
  }
}

async function pageText(pdf: PdfDocument, number: number): Promise<string> {
  const page = await pdf.getPage(number);
  const { items } = await page.getTextContent();
  page.cleanup();
  return items
    .map(({ str = '', hasEOL }) => (hasEOL ? `${str}\n` : str))
    .join('')
    .trim();
}
