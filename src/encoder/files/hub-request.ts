import { abortable } from '../../abortable.js';

/** Addresses that one request may be sent on to. */
const MOST_REDIRECTS = 10;

/** What a hub says of a file beside its bytes. */
export interface ExpectedFile {
  readonly size: number | undefined;
  /**
   * SHA-256 of the file, for large ones; for others SHA-1 as git has it, of `blob`, its length, NUL
   * and the file. Hexadecimal.
   */
  readonly hash: { readonly kind: 'sha256' | 'git'; readonly digits: string } | undefined;
}

export interface HubAnswer {
  /** One that leads nowhere else. */
  readonly response: Response;
  readonly expected: ExpectedFile;
}

export interface HubRequest {
  readonly token: string | undefined;
  readonly fetch: typeof fetch;
  readonly signal: AbortSignal | undefined;
  /**
   * Whether answers that lead elsewhere are seen. What they say of the file is said nowhere else.
   */
  readonly seesRedirects: boolean;
}

/**
 * Asks a hub for a file. Storage elsewhere, to which it sends large files' readers, never sees the
 * token. Rejects with whatever went wrong.
 */
export async function askHub(
  address: string,
  { token, fetch: get, signal, seesRedirects }: HubRequest,
): Promise<HubAnswer> {
  const { origin } = new URL(address);
  let url = address;
  let expected: ExpectedFile = { size: undefined, hash: undefined };
  for (let hops = 0; hops <= MOST_REDIRECTS; hops++) {
    const headers =
      token && new URL(url).origin === origin ? { authorization: `Bearer ${token}` } : {};
    const asked = get(url, {
      headers,
      redirect: seesRedirects ? 'manual' : 'follow',
      ...(signal && { signal }),
    });
    const response = await abortable(asked, signal);
    expected = told(response.headers, expected);
    if (![301, 302, 303, 307, 308].includes(response.status)) return { response, expected };
    const next = response.headers.get('location');
    response.body?.cancel().catch(() => {});
    if (next === null) throw new Error(`${response.status} without an address to go on to`);
    const { protocol, href } = new URL(next, url);
    if (protocol !== 'https:' && protocol !== new URL(url).protocol)
      throw new Error(`sent on to ${href.slice(0, 200)}`);
    url = href;
  }
  throw new Error(`sent on more than ${MOST_REDIRECTS} times`);
}

/** What headers say, or else what was known before. Other servers' ETags may be anything. */
function told(headers: Headers, before: ExpectedFile): ExpectedFile {
  const size = Number(headers.get('x-linked-size') ?? Number.NaN);
  const tag =
    headers.get('x-linked-etag') ?? (headers.has('x-repo-commit') ? headers.get('etag') : null);
  const [, digits] = /^(?:W\/)?"([0-9a-f]{64}|[0-9a-f]{40})"$/.exec(tag ?? '') ?? [];
  return {
    size: Number.isSafeInteger(size) && size > 0 ? size : before.size,
    hash:
      digits === undefined
        ? before.hash
        : { kind: digits.length === 64 ? 'sha256' : 'git', digits },
  };
}
