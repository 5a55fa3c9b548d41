import { LemurError } from '../../errors.js';
import type { OptionNames } from '../../known-options.js';
import { RUN_OPTIONS, type RunOptions } from '../../run-options.js';

/** Where ids lead to where nothing else is said. */
const ENDPOINT = 'https://huggingface.co';

export interface HubOptions extends RunOptions {
  /** A branch, tag or commit. Default: `main`. */
  revision?: string | undefined;
  /**
   * Address of a hub, or of a mirror of it. Default: in Node the environment's HF_ENDPOINT, else
   * Hugging Face's.
   */
  endpoint?: string | undefined;
  /** For models that are not for everybody. Default: in Node the environment's HF_TOKEN. */
  token?: string | undefined;
  /** What gets files. Default: the platform's. */
  fetch?: typeof fetch | undefined;
}

export const HUB_OPTIONS: OptionNames<HubOptions> = {
  revision: true,
  endpoint: true,
  token: true,
  fetch: true,
  ...RUN_OPTIONS,
};

/** Whether it can be the id of a model on the hub: `owner/name`. */
export function isHubId(model: string): boolean {
  return /^[\w-][\w.-]*\/[\w-][\w.-]*$/.test(model);
}

/** Where the hub has a file. */
export function hubUrl(
  id: string,
  name: string,
  { revision = 'main', endpoint = ENDPOINT }: HubOptions,
): string {
  const path = name.split('/').map(encodeURIComponent).join('/');
  return `${endpoint.replace(/\/$/, '')}/${id}/resolve/${encodeURIComponent(revision)}/${path}`;
}

/**
 * Raises 'invalid-argument' for what can be no branch, tag or commit, so that no path leads out of
 * the cache.
 */
export function checkRevision(revision: unknown): void {
  const right =
    typeof revision === 'string' &&
    revision.length <= 200 &&
    revision.split('/').every((part) => /^[\w+@=-][\w.+@=-]*$/.test(part));
  if (right) return;
  const got =
    typeof revision === 'string' ? JSON.stringify(revision.slice(0, 200)) : typeof revision;
  throw new LemurError(
    'invalid-argument',
    `revision: expected a branch, tag or commit, got ${got}`,
    { where: 'revision' },
  );
}

/** Raises 'invalid-argument'. */
export function checkEndpoint(endpoint: string | undefined): void {
  if (endpoint === undefined || /^https?:\/\/[^/]/.test(endpoint)) return;
  throw new LemurError(
    'invalid-argument',
    `endpoint: expected an address of http or https, got ${JSON.stringify(endpoint)}`,
    { where: 'endpoint' },
  );
}
