import {
  type CheckpointFiles,
  needJson,
  type ParsedFile,
  readJson,
} from '../files/checkpoint-files.js';
import { checkPooling, inFolder, type Module, normalizesTokens } from './modules.js';
import {
  isPyLate,
  nativeSettings,
  pyLateSettings,
  type Settings,
  stanfordSettings,
} from './settings.js';

/** How a checkpoint's files are laid out, and whose conventions they follow. */
export type Layout = 'bert' | 'pylate' | 'sentence-transformers' | 'stanford' | 'onnx';

/**
 * Whose conventions a checkpoint follows, and what its settings say; `exported` is what an exporter
 * of ONNX files wrote. Rejects with 'bad-file' and 'unsupported'.
 */
export async function layoutOf(
  files: CheckpointFiles,
  modules: Module[] | undefined,
  at: string,
  config: ParsedFile | undefined,
  exported: ParsedFile | undefined,
): Promise<{ layout: Layout; settings: Settings | undefined }> {
  const top = await readJson(files, 'config_sentence_transformers.json');
  const mask = modules?.find(({ kind }) => kind === 'MultiVectorMask');
  if (modules && mask) {
    const transformer = await needJson(files, inFolder(at, 'sentence_bert_config.json'));
    const of = (await readJson(files, inFolder(mask.path, 'config.json'))) ?? {
      json: {},
      where: mask.path,
    };
    await checkPooling(files, modules);
    const normalize = await normalizesTokens(files, modules);
    return {
      layout: 'sentence-transformers',
      settings: nativeSettings(transformer, of, top ?? { json: {}, where: files.name }, normalize),
    };
  }
  if (exported) return { layout: 'onnx', settings: pyLateSettings(exported.json, exported.where) };
  if (top && isPyLate(top.json)) {
    const transformer = await readJson(files, inFolder(at, 'sentence_bert_config.json'));
    return {
      layout: 'pylate',
      settings: pyLateSettings(
        { do_lower_case: transformer?.json.do_lower_case, ...top.json },
        top.where,
      ),
    };
  }
  const [architecture] = Array.isArray(config?.json.architectures) ? config.json.architectures : [];
  if (architecture === 'HF_ColBERT') {
    const metadata = (await readJson(files, 'artifact.metadata')) ?? {
      json: {},
      where: files.name,
    };
    return { layout: 'stanford', settings: stanfordSettings(metadata.json, metadata.where) };
  }
  return { layout: 'bert', settings: undefined };
}
