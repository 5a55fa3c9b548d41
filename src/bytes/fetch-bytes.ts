import { LemurError } from '../errors.js';

/**
 * The bytes at a URL. Raises `invalid-argument` where `at` is no URL (relative to `base`),
 * `not-found` where nothing is there.
 */
export async function fetchBytes(at: string | URL, base?: string | undefined): Promise<Uint8Array> {
  const url = toUrl(at, base);
  let response: Response;
  try {
    response = await fetch(url);
  } catch (cause) {
    throw new LemurError(
      'not-found',
      `${shorten(url)}: it cannot be fetched (${(cause as Error).message})`,
      { where: url.href },
      { cause },
    );
  }
  if (!response.ok) {
    const { status, statusText } = response;
    throw new LemurError(
      'not-found',
      `${shorten(url)}: got status ${status}${statusText && ` ${statusText}`}, expected 200`,
      {
        where: url.href,
      },
    );
  }
  return new Uint8Array(await response.arrayBuffer());
}

function toUrl(at: string | URL, base?: string | undefined): URL {
  try {
    return new URL(at, base);
  } catch (cause) {
    throw new LemurError(
      'invalid-argument',
      `${at}: expected an absolute URL`,
      { where: String(at) },
      { cause },
    );
  }
}

/** data: URLs are long. */
function shorten({ href }: URL): string {
  return href.length > 200 ? `${href.slice(0, 200)}...` : href;
}
