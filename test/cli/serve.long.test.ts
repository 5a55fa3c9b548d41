import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Index } from '../../dist/entry/node.js';
import { ask } from '../server/small-server.js';
import { temporaryFolder } from '../temporary-folder.js';
import { runCli } from './run-cli.js';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const DIM = 4;
const vector = (i: number): number[] =>
  Array.from({ length: DIM }, (_, j) => Number(i % DIM === j));
const document = (id: string, i: number): object => ({ id, tokens: [vector(i)] });

let folder: string;
let vectors: string;
const running: ChildProcess[] = [];
beforeAll(async () => {
  folder = await temporaryFolder('serve');
  vectors = join(folder, 'vectors.lemur');
  const index = await Index.create(vectors, { dim: DIM, threads: 1 });
  await index.add([{ id: 'first', tokens: [vector(0)] }]);
  await index.close();
});
afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
});

interface Serving {
  child: ChildProcess;
  url: string;
  /** Of standard error, so far. */
  said: () => string;
}

async function serve(args: readonly string[], env: Record<string, string> = {}): Promise<Serving> {
  const options = { env: { ...process.env, LEMUR_API_KEY: '', ...env } };
  const child = spawn(process.execPath, [main, 'serve', ...args, '--port', '0'], options);
  running.push(child);
  let said = '';
  child.stderr?.on('data', (chunk) => {
    said += chunk;
  });
  const [line] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
  const [url = ''] = /http:\S+/.exec(String(line)) ?? [];
  return { child, url, said: () => said };
}

async function ended({ child }: Serving, signal: NodeJS.Signals): Promise<number | null> {
  child.kill(signal);
  const [code] = await once(child, 'exit');
  return code;
}

describe('lemur serve', () => {
  test('has its folder to itself, and is followed by a server that reads', async () => {
    const writer = await serve([vectors]);
    const second = await runCli(['serve', vectors, '--port', '0']);
    expect(second.code).toBe(1);
    expect(second.stderr).toMatch(/locked by process \d+ .*; --read-only serves it beside/);
    const reader = await serve([`copy=${vectors}`, '--read-only']);
    const documents = [document('second', 1)];
    const added = await ask(`${writer.url}/collections/vectors/documents`, { json: documents });
    expect(await added.json()).toMatchObject({ added: 1 });
    const found = await ask(`${reader.url}/collections/copy/documents/second`);
    expect(found.status).toBe(200);
    const refused = await ask(`${reader.url}/collections/copy/documents`, { json: documents });
    expect([refused.status, (await refused.json()).code]).toEqual([403, 'read-only']);
    expect(await ended(writer, 'SIGTERM')).toBe(0);
    expect(await ended(reader, 'SIGINT')).toBe(0);
  });

  test('ended under load has kept all that it said was added', async () => {
    const serving = await serve([vectors]);
    const acknowledged: string[] = [];
    let refused = false;
    const lane = async (name: string): Promise<void> => {
      for (let i = 0; !refused; i++) {
        const json = [document(`${name} ${i}`, i)];
        const url = `${serving.url}/collections/vectors/documents`;
        const response = await ask(url, { json }).catch(() => undefined);
        if (response?.ok) acknowledged.push(`${name} ${i}`);
        else refused = true;
        if (acknowledged.length === 40) serving.child.kill('SIGTERM');
      }
    };
    const exited = once(serving.child, 'exit');
    await Promise.all(['a', 'b', 'c'].map(lane));
    expect(await exited).toEqual([0, null]);
    const index = await Index.open(vectors, { threads: 1 });
    const kept = await index.get(acknowledged);
    expect(acknowledged.length).toBeGreaterThanOrEqual(40);
    expect(kept.filter((one) => one === undefined)).toEqual([]);
    await index.close();
  });

  test('killed has kept it too', async () => {
    const serving = await serve([vectors]);
    const lines = Array.from({ length: 5000 }, (_, i) => JSON.stringify(document(`k ${i}`, i)));
    const headers = { 'content-type': 'application/x-ndjson' };
    const init = { method: 'POST', headers, body: lines.join('\n') };
    const response = await fetch(`${serving.url}/collections/vectors/documents`, init);
    const reader = response.body?.getReader();
    const first = new TextDecoder().decode((await reader?.read())?.value);
    serving.child.kill('SIGKILL');
    await once(serving.child, 'exit');
    const committed = Number(/"committed":(\d+)\}\n$/.exec(first)?.[1]);
    expect(committed).toBeGreaterThanOrEqual(1000);
    const index = await Index.open(vectors, { threads: 1 });
    const ids = Array.from({ length: committed }, (_, i) => `k ${i}`);
    expect((await index.get(ids)).filter((one) => one === undefined)).toEqual([]);
    await index.close();
  });

  test('wants a key before others than this machine may ask, and keeps it from logs', async () => {
    const { code, stderr } = await runCli(['serve', vectors, '--host', '0.0.0.0'], undefined, {
      LEMUR_API_KEY: '',
    });
    expect([code, stderr.includes('LEMUR_API_KEY')]).toEqual([1, true]);
    const keys = join(folder, 'keys');
    await writeFile(keys, 'one\n\nfile-key\n');
    const serving = await serve([vectors, '--api-key-file', keys, '--log']);
    const url = `${serving.url}/collections`;
    expect((await ask(url)).status).toBe(401);
    const headers = { authorization: 'Bearer file-key' };
    expect((await ask(url, { headers })).status).toBe(200);
    expect(await ended(serving, 'SIGTERM')).toBe(0);
    expect(serving.said()).toContain('"status":401');
    expect(serving.said()).not.toContain('file-key');
  });

  test.each([
    [[], 2, "missing required argument 'index'"],
    [['nowhere.lemur'], 1, 'no index here'],
    [['--port', 'x'], 2, 'Expected a whole number'],
    [['--mcp-write', '--read-only'], 2, 'cannot be used with'],
  ])('with %j ends with %i', async (args, expected, message) => {
    const given = args[0]?.startsWith('--') ? [vectors, ...args] : args;
    const { code, stderr } = await runCli(['serve', ...given]);
    expect([code, stderr.includes(message)]).toEqual([expected, true]);
  });

  test('says that two folders of one name need names', async () => {
    const { code, stderr } = await runCli(['serve', vectors, vectors]);
    expect([code, stderr.includes('another index is called vectors too')]).toEqual([1, true]);
  });
});

test('lemur mcp answers lines, and ends with its input', async () => {
  const lines = [
    '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18"}}',
    '{"jsonrpc":"2.0","method":"notifications/initialized"}',
    'not JSON',
    '{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"list"}}',
  ];
  const { code, stdout } = await runCli(['mcp', vectors], undefined, {}, `${lines.join('\n')}\n`);
  const answers = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(code).toBe(0);
  expect(answers.find(({ id }) => id === 1).result.protocolVersion).toBe('2025-06-18');
  expect(answers.find(({ id }) => id === null).error.code).toBe(-32700);
  expect(answers.find(({ id }) => id === 2).result.content[0].text).toMatch(
    /^vectors: \d+ documents$/,
  );
});
