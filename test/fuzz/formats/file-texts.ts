import { badFile } from '../../../src/errors.js';
import { fileText, notText } from '../../../src/files/node-file-text.js';
import { mutateBytes } from '../../mutations.js';
import { hold, reader, WHERE } from './reader.js';

const encoder = new TextEncoder();
const seeds = [
  '---\ntitle: A\ntags: [a, b]\nat: {x: 1}\n---\n# A\n\nText.\n',
  '<!doctype html><title>A</title><body><h1>B &amp; c</h1><p>d<ul><li>e<pre>f</pre>',
  'a,b\n"c ""d""\ne",f\n\ng,h\n',
].map((text) => encoder.encode(text));
const words = [
  '<',
  '</',
  '>',
  '<svg',
  '<!--',
  '&#x',
  '"',
  '\n',
  '\r',
  '---',
  ': ',
  '&a',
  '*a',
  '[',
  '{',
].map((word) => encoder.encode(word));

/** Files of kinds that libraries read, which come along. */
export const fileTexts = reader(
  'files as texts',
  (random) => mutateBytes({ seeds, words }, random),
  async (bytes) => {
    if (notText('text', bytes)) throw badFile(WHERE, 'no text');
    for (const name of ['a.md', 'a.html', 'a.csv']) {
      const { text, title } = await fileText(name, bytes);
      hold(typeof text === 'string' && title !== '', `title ${title}`);
      if (name === 'a.md' && bytes[0] < 0xfe)
        hold(text.split('\n').length === linesOf(new TextDecoder().decode(bytes)), 'lines');
    }
  },
);

/** Lines end with `\n`, or where there is none with `\r`, which becomes one. */
function linesOf(text: string): number {
  return text.split(text.includes('\n') ? '\n' : '\r').length;
}
