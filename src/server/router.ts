import type { Answer } from './exchange.js';
import { badRequest, noSuch, Problem } from './problem.js';

/** An address, what is done there, and who may ask. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** With names in braces for segments that vary. */
  readonly path: string;
  readonly answer: Answer;
  /** Whether it is answered without a key. */
  readonly open?: boolean | undefined;
  /** Whether it is answered while the server closes. */
  readonly late?: boolean | undefined;
}

export interface FoundRoute {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

/**
 * The route of a request; HEAD is a GET whose answer has no body. Raises a problem: 404, or 405
 * with the methods that there are.
 */
export function findRoute(routes: readonly Route[], method: string, pathname: string): FoundRoute {
  const found = routes.flatMap((route) => {
    const params = match(route.path, pathname);
    return params ? [{ route, params }] : [];
  });
  if (found.length === 0) throw noSuch('nothing is served at this address');
  const asked = method === 'HEAD' ? 'GET' : method;
  const right = found.find(({ route }) => route.method === asked);
  if (right) return { route: right.route, params: decoded(right.params) };
  const allow = allowedMethods(found.map(({ route }) => route));
  throw new Problem(405, 'method-not-allowed', `this address takes ${allow}`, { allow });
}

/** Those of routes at one address. */
export function allowedMethods(routes: readonly Route[]): string {
  const methods = routes.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
  return [...new Set([...methods, 'OPTIONS'])].join(', ');
}

/** Values of the names in a template, still encoded. */
export function match(template: string, pathname: string): Record<string, string> | undefined {
  const names = template.split('/');
  const parts = pathname.split('/');
  if (names.length !== parts.length) return undefined;
  const params: Record<string, string> = {};
  for (const [i, name] of names.entries()) {
    const [, param] = /^\{(\w+)\}$/.exec(name) ?? [];
    if (param === undefined ? name !== parts[i] : parts[i] === '') return undefined;
    if (param !== undefined) params[param] = parts[i];
  }
  return params;
}

function decoded(params: Readonly<Record<string, string>>): Record<string, string> {
  try {
    const all = Object.entries(params).map(([name, part]) => [name, decodeURIComponent(part)]);
    return Object.fromEntries(all) as Record<string, string>;
  } catch {
    throw badRequest('the address has a % that encodes nothing');
  }
}
