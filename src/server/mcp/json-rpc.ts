import { describeKind } from '../../value-kind.js';

/** The codes of JSON-RPC 2.0. */
export const PARSE_ERROR = -32700;
export const INVALID_REQUEST = -32600;
export const METHOD_NOT_FOUND = -32601;
export const INVALID_PARAMS = -32602;
export const INTERNAL_ERROR = -32603;

type Id = string | number;

/** A request, which has an id, or a notification. */
export interface RpcMessage {
  readonly id: Id | undefined;
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
}

export interface RpcAnswer {
  readonly jsonrpc: '2.0';
  readonly id: Id | null;
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string };
}

/** What is answered in place of a result. */
export class RpcError extends Error {
  readonly code: number;
  /** The request's id, where that could be read. */
  readonly id: Id | null;

  constructor(code: number, message: string, id: Id | null = null) {
    super(message);
    this.code = code;
    this.id = id;
  }
}

/**
 * A parsed message. undefined for an answer: this side asks nothing. Raises an `RpcError`, for
 * several messages in an array too, which later revisions of MCP do not have.
 */
export function readMessage(value: unknown): RpcMessage | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new RpcError(
      INVALID_REQUEST,
      `expected one JSON-RPC message, got ${describeKind(value)}`,
    );
  const { jsonrpc, id, method, params = {}, ...rest } = value as Record<string, unknown>;
  const known = typeof id === 'string' || Number.isInteger(id) ? (id as Id) : undefined;
  const invalid = (problem: string): RpcError =>
    new RpcError(INVALID_REQUEST, problem, known ?? null);
  if (jsonrpc !== '2.0') throw invalid("jsonrpc: expected '2.0'");
  if (method === undefined && ('result' in rest || 'error' in rest)) return undefined;
  if (typeof method !== 'string') throw invalid(`method: got ${describeKind(method)}`);
  if (id !== undefined && known === undefined) throw invalid('id: expected a string or an integer');
  if (typeof params !== 'object' || params === null || Array.isArray(params))
    throw invalid(`params: expected an object, got ${describeKind(params)}`);
  return { id: known, method, params: params as Record<string, unknown> };
}

export function rpcResult(id: Id, result: unknown): RpcAnswer {
  return { jsonrpc: '2.0', id, result };
}

export function rpcError({ code, message, id }: RpcError): RpcAnswer {
  return { jsonrpc: '2.0', id, error: { code, message } };
}
