import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LemurError } from '../errors.js';
import { fileError, isAbsent } from '../formats/node-file-error.js';
import { folderStorage } from '../storage/node-folder.js';
import { isPlan, isStages } from './check-collection.js';
import { COLLECTION, DATA_FILES, MODEL_FOLDERS, type Plan, RUN } from './collection.js';
import type { StepTime } from './progress.js';

/** A folder that is being filled. A stage is finished once this file says so: its results have their names by then. */
export interface RunState {
  readonly folder: string;
  /** Time of a finished stage. */
  finished(stage: string): StepTime | undefined;
  finish(stage: string, time: StepTime): Promise<void>;
  readonly stages: Readonly<Record<string, StepTime>>;
}

/**
 * Goes on where an earlier run of the same plan stopped, or begins. With `fresh` what earlier runs left is deleted, and nothing else.
 * Raises 'invalid-argument' for a folder with other things in it or a run of another plan.
 */
export async function openRun(folder: string, plan: Plan, fresh: boolean): Promise<RunState> {
  const names = await list(folder);
  const before = (await readState(join(folder, COLLECTION))) ?? (await readState(join(folder, RUN)));
  if (names.length > 0 && !before) {
    throw new LemurError('invalid-argument', `${folder}: the folder has other things in it; name an empty or a new one with --out`, {
      where: folder,
    });
  }
  if (before && !fresh && !samePlan(before.plan, plan)) {
    const [was, is] = [describePlan(before.plan), describePlan(plan)];
    throw new LemurError('invalid-argument', `${folder} was made with ${was}, not ${is}: use --fresh to replace it, or another --out`, {
      where: folder,
    });
  }
  // the two that say what is in the folder go last
  const doomed = fresh ? [...results, COLLECTION, RUN] : results.filter((name) => name.endsWith('.tmp'));
  for (const name of doomed.filter((name) => names.includes(name))) await rm(join(folder, name), { recursive: true });

  await mkdir(folder, { recursive: true });
  const stages: Record<string, StepTime> = fresh ? {} : { ...before?.stages };
  const storage = folderStorage(folder);
  const record = (): Promise<void> => storage.replace(RUN, new TextEncoder().encode(`${JSON.stringify({ plan, stages }, null, 2)}\n`));
  if (fresh || !before) await record();
  return {
    folder,
    stages,
    finished: (stage) => stages[stage],
    finish(stage, time) {
      stages[stage] = time;
      return record();
    },
  };
}

/** Everything that a run leaves beside its two descriptions. */
const results: readonly string[] = [
  ...DATA_FILES.flatMap((name) => [name, `${name}.tmp`]),
  ...[`${COLLECTION}.tmp`, `${RUN}.tmp`],
  ...MODEL_FOLDERS,
];

/** Texts and vectors are known by what they contain where their digest is there, else by name. */
function samePlan(a: Plan, b: Plan): boolean {
  const named = (plan: Plan): string => JSON.stringify(plan.digest === undefined ? plan : { ...plan, data: '' });
  return named(a) === named(b);
}

/** All that two plans can differ in. */
function describePlan({ data, documents, model, maxTokens, dim, digest, learn, learnDigest }: Plan): string {
  const parts = [`${documents} documents of ${data}${digest ? ` (SHA-256 ${digest.slice(0, 8)})` : ''}`];
  if (maxTokens !== undefined) parts.push(`${maxTokens} tokens each`);
  if (dim !== undefined) parts.push(`${dim} dimensions`);
  if (model) parts.push(`by ${'folder' in model ? model.folder : `${model.package} ${model.version}`}`);
  if (learn) parts.push(...Object.entries(learn).map(([name, value]) => `${name} ${value}`));
  if (learnDigest) parts.push(`learned from vectors of SHA-256 ${learnDigest.slice(0, 8)}`);
  return parts.join(', ');
}

async function list(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (cause) {
    const { code } = cause as { code?: string };
    if (code === 'ENOENT') return [];
    if (!isAbsent(cause)) throw cause;
    throw new LemurError('invalid-argument', `${folder}: not a folder`, { where: folder }, { cause });
  }
}

async function readState(path: string): Promise<{ plan: Plan; stages: Record<string, StepTime> } | undefined> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if ((error as { code?: string }).code === 'ENOENT') return undefined;
    throw fileError(path, error);
  });
  if (text === undefined) return undefined;
  try {
    const { plan, stages } = JSON.parse(text) as { plan: unknown; stages: unknown };
    if (isPlan(plan) && isStages(stages)) return { plan, stages };
  } catch {
    // said below
  }
  throw new LemurError('bad-file', `${path}: damaged, or not what this command writes; delete the folder, or name another with --out`, {
    where: path,
  });
}
