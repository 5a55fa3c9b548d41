import { expect, test } from 'vitest';
import { smallServer, waitingEncoder } from './small-server.js';

interface Told {
  id: string;
  state: string;
  result: { features?: string; roots?: unknown } | null;
  problem: { code: string; detail: string } | null;
}

/** Events of a stream to its end. */
const eventsOf = async (response: Response): Promise<[name: string, job: Told][]> =>
  [...(await response.text()).matchAll(/^event: (\w+)\ndata: (.*)$/gm)].map(([, name, data]) => [
    name,
    JSON.parse(data),
  ]);

test('a fit is a job: it is told of as it goes on, and what it gave', async () => {
  const { ask, index } = await smallServer({}, { features: 'random' });
  const begun = await ask('/collections/papers/fit', { json: { finalHiddenDim: 16 } });
  expect(begun.status).toBe(202);
  const job: Told = await begun.json();
  expect(begun.headers.get('location')).toBe(`/jobs/${job.id}`);
  const watched = await ask(`/jobs/${job.id}/events`);
  expect(watched.headers.get('content-type')).toBe('text/event-stream');
  const events = await eventsOf(watched);
  expect(events.at(-1)?.[0]).toBe('done');
  expect(events.slice(0, -1).every(([name]) => name === 'progress')).toBe(true);
  expect(events.at(-1)?.[1].result).toMatchObject({ features: 'random' });
  expect(events.at(-1)?.[1].result).not.toHaveProperty('roots');
  expect(index.stats().features).toBe('random');
  const { jobs } = await (await ask('/jobs')).json();
  expect(jobs).toEqual([await (await ask(`/jobs/${job.id}`)).json()]);
});

test('a job that fails says why, as a problem', async () => {
  const { ask } = await smallServer();
  const { id }: Told = await (await ask('/collections/papers/tune', { json: { k: 0 } })).json();
  const [, job] = (await eventsOf(await ask(`/jobs/${id}/events`))).at(-1) ?? [];
  expect(job).toMatchObject({ state: 'failed', problem: { code: 'invalid-argument' } });
});

test('a job that is under way is stopped', async () => {
  const encoder = waitingEncoder();
  const { ask } = await smallServer({}, { encoder });
  const json = { queries: ['what waits?'] };
  const { id }: Told = await (await ask('/collections/papers/tune', { json })).json();
  await encoder.asked;
  expect((await ask(`/jobs/${id}`, { method: 'DELETE' })).status).toBe(202);
  const [name] = (await eventsOf(await ask(`/jobs/${id}/events`))).at(-1) ?? [];
  expect(name).toBe('cancelled');
  expect((await ask('/jobs/nobody')).status).toBe(404);
});

test('a job goes on when who watches it leaves', async () => {
  const encoder = waitingEncoder();
  const { ask } = await smallServer({}, { encoder });
  const json = { queries: ['what waits?'] };
  const { id }: Told = await (await ask('/collections/papers/tune', { json })).json();
  const leaving = new AbortController();
  const watched = await ask(`/jobs/${id}/events`, { signal: leaving.signal });
  leaving.abort();
  await expect(watched.text()).rejects.toThrow();
  encoder.letGo();
  // of three documents nothing was learned, so there is nothing to measure
  const [, job] = (await eventsOf(await ask(`/jobs/${id}/events`))).at(-1) ?? [];
  expect(job).toMatchObject({ state: 'failed', problem: { code: 'unsupported' } });
});
