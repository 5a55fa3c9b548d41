import { type Exchange, json } from '../exchange.js';

/** That the process answers. */
export async function health(): Promise<Response> {
  return json({ status: 'ok' });
}

/** Whether it takes requests: not while it closes. */
export async function ready({ served }: Exchange): Promise<Response> {
  if (served.isClosing()) return json({ status: 'closing' }, 503, { 'retry-after': '5' });
  return json({ status: 'ready', collections: served.collections.size });
}

/** Counts and times, for Prometheus. */
export async function metrics({ served }: Exchange): Promise<Response> {
  return new Response(served.metrics.text(), {
    headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
  });
}
