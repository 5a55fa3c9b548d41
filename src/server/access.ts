import type { ResolvedHandlerOptions } from './handler-options.js';
import { Problem } from './problem.js';

/** Who may ask: names of hosts, origins of pages, keys. */
export class Access {
  readonly #options: ResolvedHandlerOptions;
  /** Hashes of the keys, made when the first request comes. */
  #keys: Promise<Uint8Array[]> | undefined;

  constructor(options: ResolvedHandlerOptions) {
    this.#options = options;
  }

  /**
   * Raises a problem for a name that a page has pointed at this machine (421), and for a page of
   * another origin (403): such a page can send requests whose answers it cannot read.
   */
  checkOrigin(request: Request, url: URL): void {
    const { hosts } = this.#options;
    if (hosts && !hosts.includes(url.hostname.toLowerCase())) {
      const problem = 'the request is addressed to a host that this server does not answer for';
      throw new Problem(421, 'wrong-host', problem);
    }
    const origin = request.headers.get('origin');
    if (origin === null || this.allowedOrigin(request) !== undefined) return;
    if (hostOf(origin) !== url.host)
      throw new Problem(403, 'wrong-origin', 'pages of this origin may not ask this server');
  }

  /** What `access-control-allow-origin` says; undefined: nothing. */
  allowedOrigin(request: Request): string | undefined {
    const origin = request.headers.get('origin');
    const { cors } = this.#options;
    if (origin === null) return undefined;
    if (cors === '*') return '*';
    return cors.includes(origin) ? origin : undefined;
  }

  /** Raises a problem (401) unless the request has a key where one is asked for. */
  async checkKey(request: Request): Promise<void> {
    const { apiKeys } = this.#options;
    if (apiKeys.length === 0) return;
    const bearer = /^bearer (.+)$/i.exec(request.headers.get('authorization') ?? '')?.[1];
    const given = request.headers.get('x-api-key') ?? bearer?.trim();
    if (given === undefined) throw unauthorized('expected a key, as authorization: Bearer KEY');
    this.#keys ??= Promise.all(apiKeys.map(sha256));
    const hash = await sha256(given);
    let found = 0;
    for (const key of await this.#keys) found |= Number(areEqual(key, hash));
    if (found === 0) throw unauthorized('the key is not right');
  }
}

function unauthorized(detail: string): Problem {
  return new Problem(401, 'unauthorized', detail, { 'www-authenticate': 'Bearer' });
}

/** Takes as long for keys that are nearly right as for others. */
function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i] ^ b[i];
  return difference === 0;
}

async function sha256(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
}

function hostOf(origin: string): string | undefined {
  try {
    return new URL(origin).host;
  } catch {
    return undefined; // 'null', of sandboxed pages
  }
}
