import { readdir, rmdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileError, isAbsent } from '../bytes/node-file-error.js';
import { whatLiesAt } from '../bytes/node-path-content.js';
import type { Features } from '../collection/files/manifest.js';
import { Index } from '../collection/index.js';
import type { DeviceName } from '../device/default-device.js';
import {
  DEFAULT_DIM,
  DEFAULT_TOKENS,
  looksDefault,
} from '../encoder/default/node-default-weights.js';
import { invalidArgument, LemurError } from '../errors.js';
import type { PassageOptions } from '../passages/passage-rules.js';
import { folderStorage } from '../storage/node-folder.js';
import { encodings, type Precision } from '../tokens/encodings.js';
import { positiveInteger, shared, wholeNumber } from './arguments.js';
import { refuseTextOptions } from './check-source.js';
import { type Context, interruptible } from './context.js';
import { begun } from './groups.js';
import { describeEncoder, type IndexEncoder, openNewEncoder } from './index-encoder.js';
import { hasIndex, type OpenedIndex, opened, openIndex, readManifest } from './open-index.js';
import { readModel } from './read-model.js';
import type { Source } from './source.js';
import { type Command, Option } from './vendor.js';

/** Options that are decided when an index is made. */
export interface CreationArguments {
  dim?: number | undefined;
  precision?: Precision | undefined;
  pooling?: number | undefined;
  features?: Features | undefined;
  maxTokens?: number | undefined;
  passages?: boolean | undefined;
  passageSize?: number | undefined;
  passageOverlap?: number | undefined;
  model?: string | undefined;
  threads?: number | undefined;
  device?: DeviceName | undefined;
}

const GROUP = 'Where the index does not exist yet:';
/** Held while an encoder is loaded for a new index, before there is one that could be locked. */
const LOCK = 'create.lock';

export function addCreationOptions(command: Command): Command {
  const option = (it: Option): void => void command.addOption(it.helpGroup(GROUP));
  option(
    new Option(
      '--dim <n>',
      "dimensions of the token vectors made of texts (default: 128, at most the encoder's)",
    ).argParser(positiveInteger),
  );
  option(
    new Option('--precision <name>', 'how token vectors are stored (default: int8)').choices([
      ...encodings.keys(),
    ]),
  );
  option(
    new Option(
      '--pooling <n>',
      "merge each document's token vectors into this part of them (default: 1)",
    ).argParser(positiveInteger),
  );
  option(
    new Option(
      '--features <name>',
      'how candidates are found: exact search, random or trained features (default: auto, by size)',
    ).choices([...['auto', 'exact', 'random', 'trained']]),
  );
  option(shared.maxTokens());
  addPassageOptions(option);
  return command.addOption(shared.model());
}

function addPassageOptions(option: (it: Option) => void): void {
  option(
    new Option(
      '--passages',
      'cut documents into passages, which are found one by one (files are, documents of JSON ' +
        'lines are not unless this is given)',
    ),
  );
  option(new Option('--no-passages', 'keep files whole: their first tokens are searched'));
  option(
    new Option(
      '--passage-size <n>',
      'tokens of a passage at most (default: 180, or what the encoder reads)',
    ).argParser(positiveInteger),
  );
  option(
    new Option(
      '--passage-overlap <n>',
      'tokens that a passage may repeat of the one before (default: 0)',
    ).argParser(wholeNumber),
  );
}

/** How the documents of a new index are cut; undefined: they are not. */
function passagesOf(
  source: Source,
  { passages, passageSize: size, passageOverlap: overlap }: CreationArguments,
): PassageOptions | undefined {
  const isAsked = passages ?? (size !== undefined || overlap !== undefined ? true : undefined);
  const cuts = isAsked ?? (source.kind === 'texts' && source.areFiles);
  return cuts ? { size, overlap } : undefined;
}

/**
 * The index for what the source holds, open for writing: the one in the folder, which must have
 * been made with the options that are given, or a new one. Gives the source again, since the first
 * documents are read before a new index is made.
 */
export async function openForSource(
  folder: string,
  source: Source,
  options: CreationArguments,
  context: Context,
): Promise<{ opened: OpenedIndex; source: Source }> {
  if (source.kind === 'vectors') refuseTextOptions(source.label, options);
  if (await hasIndex(folder)) {
    await checkSame(folder, options);
    const { model, threads, device } = options;
    return {
      opened: await openIndex(folder, {
        write: true,
        texts: source.kind === 'texts',
        model,
        threads,
        device,
      }),
      source,
    };
  }
  const isNew = !(await checkEmpty(folder));
  const { precision, pooling, features, threads, device } = options;
  const create = { precision, pooling, features, threads, device };
  if (source.kind === 'vectors') {
    const index = await Index.create(folder, { ...create, dim: source.tokens.dim });
    return { opened: opened(folder, index, undefined, { model: undefined, threads }), source };
  }
  const { model, facts } = await readModel(options.model, options.maxTokens, context);
  const maxTokens = options.maxTokens ?? facts.maxTokens;
  const documents = await begun(source.documents);
  const lock = await folderStorage(folder).lock(LOCK);
  let encoder: IndexEncoder | undefined;
  try {
    const { dim = DEFAULT_DIM } = options;
    const loading = openNewEncoder(model, { maxTokens, hidden: facts.dim, dim }, threads);
    ({ value: encoder } = await context.reporter.step('load the encoder', () =>
      interruptible(context.signal, loading),
    ));
    context.signal.throwIfAborted();
    const passages = passagesOf(source, options);
    const index = await Index.create(folder, { ...create, encoder, passages });
    return {
      opened: opened(folder, index, encoder, { model: options.model, threads }),
      source: { ...source, documents },
    };
  } catch (error) {
    await encoder?.close();
    throw error;
  } finally {
    await lock.release();
    // where nothing came of it
    if (isNew) await rmdir(folder).catch(() => {});
  }
}

/** Raises 'invalid-argument' for options that the index was not made with. */
export async function checkSame(folder: string, options: CreationArguments): Promise<void> {
  const { dim, precision, pooling, features, maxTokens, passages } = options;
  const made = await readManifest(folder);
  const info = await describeEncoder(folder, made);
  const isDefault = made.encoder !== null && looksDefault(made.encoder);
  const described = info ?? (isDefault ? { maxTokens: DEFAULT_TOKENS } : undefined);
  const cut = made.passages?.by === 'function' ? undefined : made.passages;
  const given: [string, unknown, unknown][] = [
    ['--dim', dim && Math.min(dim, info?.hidden ?? dim), info?.narrowTo ?? made.dim],
    ['--precision', precision, made.precision],
    ['--pooling', pooling, made.pooling],
    ['--features', features, made.features],
    ['--max-tokens', maxTokens, described?.maxTokens ?? undefined],
    ['--passages', passages ? 'wanted' : undefined, made.passages ? 'wanted' : 'whole documents'],
    [
      '--no-passages',
      passages === false ? 'wanted' : undefined,
      made.passages ? 'passages' : 'wanted',
    ],
    ['--passage-size', options.passageSize, cut?.size],
    ['--passage-overlap', options.passageOverlap, cut?.overlap],
  ];
  const other = given.find(([, asked, is]) => asked !== undefined && asked !== is);
  if (!other) return;
  const problem =
    `${other[0]}${other[1] === 'wanted' ? '' : ` ${other[1]}`}: ${folder} was made with ` +
    `${other[2] ?? 'whole documents'}, which cannot be ` +
    'changed; name another folder';
  throw new LemurError('invalid-argument', problem, { where: other[0] });
}

/**
 * Whether there is such a folder. Raises 'invalid-argument' where it has things in it that an
 * interrupted run did not leave.
 */
async function checkEmpty(folder: string): Promise<boolean> {
  const names = await readdir(folder).catch(async (error: unknown) => {
    if ((await whatLiesAt(folder)) === 'other')
      throw invalidArgument(folder, 'a link that leads nowhere, expected the name of a folder');
    if ((error as { code?: unknown }).code === 'ENOTDIR')
      throw invalidArgument(folder, 'a file, expected the name of a folder');
    if (isAbsent(error)) return undefined;
    throw fileError(folder, error, 'folder');
  });
  const projection = 'projection\\.\\d+\\.safetensors';
  // as earlier versions kept what is needed for the encoder
  const beside = 'encoder\\.json|projection\\.npy';
  const written = `(${projection}|${beside}|index\\.json)((\\.[0-9a-f]{16})?\\.tmp)?`;
  const ours = new RegExp(`^(${written}|(${LOCK}|writer\\.lock).*)$`);
  const foreign = names?.find((name) => !ours.test(name));
  if (foreign !== undefined) {
    const problem =
      `${resolve(folder)}: the folder has other things in it (${foreign}); name an empty ` +
      'or a new one';
    throw new LemurError('invalid-argument', problem, { where: folder });
  }
  return names !== undefined;
}
