import type { Index } from '../../collection/index.js';
import { Gate } from '../gate.js';
import { servedCollections, storageNames } from '../served.js';
import { McpServer } from './mcp-server.js';

/** Calls at the same time, and calls that wait for these. */
const [RUNNING, WAITING] = [4, 64];

/** Tools for collections, without a server around them. Raises 'invalid-argument'. */
export function createMcp(
  indexes: Readonly<Record<string, Index>>,
  { write }: { write: boolean },
): McpServer {
  const work = new Gate(RUNNING, WAITING);
  const collections = servedCollections(indexes, work);
  return new McpServer({ collections, storages: storageNames(collections), work }, write);
}
