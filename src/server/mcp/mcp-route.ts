import { readJson } from '../body.js';
import { type Answer, json, limitsOf } from '../exchange.js';
import { badRequest, Problem } from '../problem.js';
import type { Route } from '../router.js';
import { PARSE_ERROR, RpcError, rpcError } from './json-rpc.js';
import { type McpServer, REVISIONS } from './mcp-server.js';

/**
 * MCP over HTTP ("streamable HTTP"): each POST is a message, and its answer is JSON. There are no
 * sessions and nothing is sent unasked, so GET and DELETE are answered with 405, as the protocol
 * has it.
 */
export function mcpRoute(mcp: McpServer): Route {
  const answer: Answer = async (exchange) => {
    const { request, signal } = exchange;
    const revision = request.headers.get('mcp-protocol-version');
    if (revision !== null && !REVISIONS.includes(revision))
      throw badRequest(`mcp-protocol-version: expected one of ${REVISIONS.join(', ')}`);
    const message = await readJson(request, limitsOf(exchange), signal).catch((error) => {
      // of what is no JSON the protocol has an answer of its own
      if (!(error instanceof Problem) || error.status !== 400) throw error;
      return error;
    });
    if (message instanceof Problem)
      return json(rpcError(new RpcError(PARSE_ERROR, message.message)), 400);
    const answered = await mcp.answer(message, signal);
    return answered ? json(answered) : new Response(null, { status: 202 });
  };
  return { method: 'POST', path: '/mcp', answer };
}
