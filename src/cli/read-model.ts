import type { Context } from './context.js';
import { checkModel, type FoundModel, findModel, type ModelFacts } from './model.js';

/**
 * Finds a model, downloads it where it is the hub's and not here yet, and reads what it says.
 * Raises what `findModel` and `checkModel` raise.
 */
export async function readModel(
  named: string | undefined,
  maxTokens: number | undefined,
  { signal, reporter }: Context,
): Promise<{ model: FoundModel; facts: ModelFacts }> {
  const model = await findModel(named);
  if (!model.isHub) return { model, facts: await checkModel(model.name, maxTokens, { signal }) };
  const { value: facts } = await reporter.step(`fetch ${model.name}`, (onProgress) =>
    checkModel(model.name, maxTokens, { signal, onProgress }),
  );
  return { model, facts };
}
