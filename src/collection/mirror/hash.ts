import { LemurError } from '../../errors.js';
import { HASH_BYTES } from '../metadata/mirror-record.js';

const DIGITS = 2 * HASH_BYTES;
const HASH = new RegExp(`^[0-9a-f]{${DIGITS}}$`);
const encoder = new TextEncoder();

/**
 * What a collection keeps of a hash, as hexadecimal digits: itself where it has as many, else the
 * first of the SHA-256 of what is given, since longer numbers may begin alike. Rejects with
 * 'unsupported' where there is no SHA-256, as in pages of an origin that is not secure.
 */
export async function keptHash(given: string): Promise<string> {
  if (HASH.test(given)) return given;
  if (!globalThis.crypto?.subtle) {
    const problem = 'mirror: no crypto.subtle here, as in pages that are not secure; give hashes';
    throw new LemurError('unsupported', problem, { where: 'mirror' });
  }
  const hash = await crypto.subtle.digest('SHA-256', encoder.encode(given));
  return hexOf(new Uint8Array(hash, 0, HASH_BYTES));
}

export function hexOf(bytes: Uint8Array): string {
  let hex = '';
  for (const byte of bytes) hex += byte.toString(16).padStart(2, '0');
  return hex;
}

export function bytesOfHex(hex: string): Uint8Array {
  return Uint8Array.from({ length: hex.length / 2 }, (_, i) =>
    Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16),
  );
}
