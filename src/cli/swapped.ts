import { listFolder, whatLiesAt } from '../bytes/node-path-content.js';
import { LemurError } from '../errors.js';
import { hasIndex } from './open-index.js';
import { pathKind } from './path-kind.js';
import { STDIN } from './source.js';
import type { Command } from './vendor.js';

/**
 * Raises 'invalid-argument' where the last argument of a command is an index and the first, which
 * should be one, is none.
 */
export async function refuseSwapped(
  index: string,
  last: string | undefined,
  command: Command,
): Promise<void> {
  if (last === undefined || (await hasIndex(index)) || !(await hasIndex(last))) return;
  // other folders have an index.json too
  if ((await pathKind(last)) !== 'index') return;
  const other = /^[\w./-]+$/.test(index) ? index : JSON.stringify(index);
  refuseOrder(`${index} is no index, and ${last} is one`, `${last} ${other}`, command);
}

/** The same of a folder that is to be added to what is not there. */
export async function refuseSwappedSource(
  index: string,
  source: string,
  command: Command,
): Promise<void> {
  await refuseSwapped(index, source, command);
  if (source === STDIN || (await whatLiesAt(source)) !== undefined) return;
  const there = await whatLiesAt(index);
  const isFull = there === 'folder' && (await listFolder(index)).some((name) => name[0] !== '.');
  if (there === 'file' || (isFull && !(await hasIndex(index))))
    refuseOrder(`${source} is not there, and ${index} is no index`, `${source} ${index}`, command);
}

function refuseOrder(problem: string, order: string, command: Command): never {
  const advice = `the index comes first: lemur ${command.name()} ${order}`;
  throw new LemurError('invalid-argument', `${problem}; ${advice}`, { where: 'index' });
}
