import { abortable } from '../../abortable.js';
import type { LemurError } from '../../errors.js';
import type { RunOptions } from '../../run-options.js';
import { beginsAsPage } from './downloaded-file.js';
import type { HubAnswer } from './hub-request.js';

/** Why a file could not be had; `reason` ends the sentence. */
export type Unreachable = (name: string, reason: string, cause?: unknown) => LemurError;

/**
 * The chunks of a file that a hub sends, held to the lengths that it has told. Rejects with
 * `unreachable`'s error, or the signal's reason.
 */
export async function* download(
  name: string,
  { response, expected }: HubAnswer,
  unreachable: Unreachable,
  { signal, onProgress }: RunOptions,
): AsyncGenerator<Uint8Array> {
  const encoded = response.headers.get('content-encoding');
  const length = encoded ? 0 : Number(response.headers.get('content-length') ?? 0);
  const total = expected.size ?? length;
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  let done = 0;
  try {
    for (;;) {
      const { value: chunk } = await abortable(reader.read(), signal).catch((cause) => {
        signal?.throwIfAborted();
        throw unreachable(name, reasonOf(cause), cause);
      });
      signal?.throwIfAborted();
      if (!chunk) break;
      if (done === 0 && beginsAsPage(chunk)) throw unreachable(name, 'a page came in its place');
      yield chunk;
      done += chunk.length;
      onProgress?.({ stage: `download ${name}`, done, total });
    }
  } finally {
    // where it is left early; it need not answer
    reader.cancel().catch(() => {});
  }
  for (const size of [length, expected.size ?? 0])
    if (size > 0 && done !== size)
      throw unreachable(name, `it ended after ${done} of ${size} bytes`);
}

/** `fetch failed` alone tells nobody anything. */
export function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const { cause: behind } = cause;
  return behind instanceof Error && behind.message !== ''
    ? `${cause.message} (${behind.message})`
    : cause.message;
}
