import { LemurError } from '../errors.js';
import { showJson } from '../formats/show-json.js';
import type { CollectionInfo, Plan } from './collection.js';
import type { StepTime } from './progress.js';

/** Raises 'bad-file' for a description of a collection that lacks what is relied on, or has it of another kind. */
export function checkInfo({ plan, encoder, counts, stages }: CollectionInfo, path: string): void {
  const check = (name: string, value: unknown, holds: boolean): void => {
    if (holds) return;
    const problem = `"${name}" is ${showJson(value)}, which makes no sense: the file is damaged`;
    throw new LemurError('bad-file', `${path}: ${problem}`, { where: path });
  };
  check('plan', plan, isPlan(plan));
  check(
    'encoder',
    encoder,
    encoder === null || (isRecord(encoder) && typeof encoder.id === 'string' && [encoder.dim, encoder.hidden].every(isPositive)),
  );
  check('encoder', encoder, (encoder === null) === (plan.model === undefined));
  check('counts', counts, isRecord(counts));
  for (const name of ['documents', 'tokens', 'queries', 'queryTokens'] as const) check(name, counts[name], isCount(counts[name]));
  check('stages', stages, isStages(stages));
}

const PLAN: readonly (keyof Plan)[] = ['data', 'documents', 'model', 'maxTokens', 'dim', 'digest', 'learn', 'learnDigest'];

export function isPlan(value: unknown): value is Plan {
  if (!isRecord(value) || !hasOnly(value, PLAN) || typeof value.data !== 'string' || !isCount(value.documents)) return false;
  const { model, maxTokens, dim, digest, learnDigest, learn } = value;
  const sizes = [maxTokens, dim].every((size) => size === undefined || isCount(size));
  const texts = [digest, learnDigest].every((text) => text === undefined || typeof text === 'string');
  return (
    sizes &&
    texts &&
    (model === undefined || isModel(model)) &&
    (learn === undefined || (isRecord(learn) && Object.values(learn).every(isPlain)))
  );
}

function isModel(model: unknown): boolean {
  if (!isRecord(model) || !hasOnly(model, ['folder', 'package', 'version'])) return false;
  return 'folder' in model ? typeof model.folder === 'string' : typeof model.package === 'string' && typeof model.version === 'string';
}

export function isStages(value: unknown): value is Record<string, StepTime> {
  const isTime = (stage: unknown): boolean =>
    isRecord(stage) &&
    hasOnly(stage, ['seconds', 'parts']) &&
    Number.isFinite(stage.seconds) &&
    isRecord(stage.parts) &&
    Object.values(stage.parts).every(Number.isFinite);
  return isRecord(value) && Object.values(value).every(isTime);
}

/** What else there is was not written here, and may be of any depth. */
function hasOnly(value: Record<string, unknown>, names: readonly string[]): boolean {
  return Object.keys(value).every((name) => names.includes(name));
}

function isPlain(value: unknown): boolean {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isPositive(value: unknown): boolean {
  return isCount(value) && value !== 0;
}
