import { unpackText } from '../../bytes/packed.js';
import type { Answer, Exchange } from '../exchange.js';
import { PAGE } from '../page-sources.js';
import { noSuch } from '../problem.js';
import type { Route } from '../router.js';

/** A file of the page: what it is, and a hash of that. */
interface PageFile {
  readonly hash: string;
  readonly text: string;
}

/** Scripts, styles and pictures of its own alone, none of which stands in the page itself. */
const POLICY: string = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

let files: Promise<Readonly<Record<string, PageFile>>> | undefined;

/** They are unpacked when a browser first asks. */
async function fileOf(name: string): Promise<PageFile> {
  files ??= unpackText(PAGE).then((text) => JSON.parse(text));
  return (await files)[name];
}

function pageFile(name: string, type: string): Answer {
  return async ({ request }) => {
    const { hash, text } = await fileOf(name);
    const etag = `"${hash}"`;
    const headers = {
      'cache-control': 'no-cache',
      'content-security-policy': POLICY,
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      etag,
      'referrer-policy': 'no-referrer',
    };
    if (isKnown(request, etag)) return new Response(null, { status: 304, headers });
    return new Response(text, { headers: { ...headers, 'content-type': type } });
  };
}

/** Whether the client has this very file. */
function isKnown(request: Request, etag: string): boolean {
  const known = (request.headers.get('if-none-match') ?? '').split(',');
  return known
    .map((one) => one.trim().replace(/^W\//, ''))
    .some((one) => one === etag || one === '*');
}

const html: Answer = pageFile('index.html', 'text/html; charset=utf-8');

/** For browsers: programs are told, as ever, that there is nothing. */
async function root(exchange: Exchange): Promise<Response> {
  const accepted = exchange.request.headers.get('accept') ?? '';
  if (!/\btext\/html\b/i.test(accepted)) throw noSuch('nothing is served at this address');
  const response = await html(exchange);
  response.headers.set('vary', 'accept');
  return response;
}

/** The search page. Nothing of a collection is in it, so nobody needs a key for it. */
export const PAGE_ROUTES: readonly Route[] = [
  { method: 'GET', path: '/', answer: root, open: true },
  {
    method: 'GET',
    path: '/page/search.js',
    answer: pageFile('search.js', 'text/javascript; charset=utf-8'),
    open: true,
  },
  {
    method: 'GET',
    path: '/page/search.css',
    answer: pageFile('search.css', 'text/css; charset=utf-8'),
    open: true,
  },
  {
    method: 'GET',
    path: '/page/icon.svg',
    answer: pageFile('icon.svg', 'image/svg+xml'),
    open: true,
  },
];
