import { LongText } from '../long-text.js';
import { stepPacer } from '../pacer.js';
import { readHtml } from './node-vendor.js';

const BLOCKS = new Set(
  (
    'address article aside blockquote body caption dd details dialog div dl dt fieldset ' +
    'figcaption figure footer form header hr html legend main menu nav ol p pre section ' +
    'summary table tbody tfoot thead title tr ul'
  ).split(' '),
);
/** What nobody reads. */
const UNREAD = new Set('script style template noscript svg math iframe object'.split(' '));

/** Characters of a title that are read. */
const MOST_TITLE = 1 << 16;

/** A page as a text: title, and paragraphs with headings as Markdown has them. */
export interface HtmlText {
  readonly title: string;
  readonly text: string;
}

/** What of a page is read, whatever is wrong with it. */
export async function htmlText(html: string): Promise<HtmlText> {
  const page = new PageText();
  await readHtml(html, page, stepPacer());
  return page.finish();
}

class PageText {
  readonly #text = new LongText();
  readonly #title = new LongText();
  #titleLength = 0;
  #unread = 0;
  #pre = 0;
  #inTitle = false;
  /** What goes before the next word: '' nothing, ' ' a space, or line ends. */
  #gap = '';
  /** What a block begins with: marks of a heading or an item. */
  #mark = '';

  onopentag = (name: string): void => {
    if (UNREAD.has(name)) this.#unread++;
    // a drawing has titles too
    if (name === 'title') this.#inTitle = this.#unread === 0;
    if (name === 'pre') this.#pre++;
    if (name === 'br') this.#widen('\n');
    else if (name === 'td' || name === 'th') this.#widen(' ');
    else if (name === 'li') this.#begin('\n', '- ');
    else if (/^h[1-6]$/.test(name)) this.#begin('\n\n', `${'#'.repeat(Number(name[1]))} `);
    else if (BLOCKS.has(name)) this.#begin(name === 'tr' ? '\n' : '\n\n', '');
  };

  onclosetag = (name: string): void => {
    if (UNREAD.has(name)) this.#unread = Math.max(0, this.#unread - 1);
    if (name === 'title') this.#inTitle = false;
    if (name === 'pre') this.#pre = Math.max(0, this.#pre - 1);
    if (name === 'li' || name === 'tr') this.#begin('\n', '');
    else if (/^h[1-6]$/.test(name) || BLOCKS.has(name)) this.#begin('\n\n', '');
  };

  ontext = (text: string): void => {
    if (this.#inTitle) this.#entitle(text);
    else if (this.#unread === 0 && this.#pre > 0) this.#put(text);
    else if (this.#unread === 0) this.#flow(text);
  };

  finish(): HtmlText {
    const title = this.#title.join().replace(/\s+/g, ' ').trim();
    const text = this.#text.join().trimEnd();
    return { title, text: text === '' ? '' : `${text}\n` };
  }

  #entitle(text: string): void {
    this.#title.put(text.slice(0, MOST_TITLE - this.#titleLength));
    this.#titleLength = Math.min(MOST_TITLE, this.#titleLength + text.length);
  }

  /** White space is a space, or the gap that is there. */
  #flow(text: string): void {
    const words = text.replace(/[ \t\r\n\f]+/g, ' ');
    if (words.startsWith(' ')) this.#widen(' ');
    const own = words.trim();
    if (own !== '') this.#put(own);
    if (words.endsWith(' ') && own !== '') this.#widen(' ');
  }

  #put(text: string): void {
    if (this.#text.length > 0) this.#text.put(this.#gap);
    this.#text.put(this.#mark + text);
    this.#gap = '';
    this.#mark = '';
  }

  #begin(gap: string, mark: string): void {
    this.#widen(gap);
    this.#mark = mark;
  }

  #widen(gap: string): void {
    const rank = (of: string): number => ['', ' ', '\n', '\n\n'].indexOf(of);
    if (rank(gap) > rank(this.#gap)) this.#gap = gap;
  }
}
