import { renewEncoding } from './fit.js';
import { compact } from './ingest/compact.js';
import type { WritingCall } from './open-collection.js';
import { checkFlag } from './options/check-options.js';
import type { CompactOptions } from './options/options.js';

/** Rewrites what is small or has deleted documents, then what can be rounded better by now. */
export async function compactAndRenew(call: WritingCall, options: CompactOptions): Promise<void> {
  checkFlag(options.keywords, 'keywords');
  await compact(call.transaction, { ...call, keywords: options.keywords });
  await renewEncoding(call);
}
