import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeEarlier } from './earlier-index.js';
import { makeNotes, type Notes, TEXTS } from './notes.js';
import { runCli, succeed } from './run-cli.js';

let folder: string;
let at: Notes['at'];
let options: Notes['options'];
let contents: Notes['contents'];
beforeAll(async () => {
  ({ folder, at, options, contents } = await makeNotes());
});
afterAll(() => rm(folder, { recursive: true }));

describe('an encoder whose vectors are wider than was asked for', () => {
  const lines = Array.from({ length: 1300 }, (_, i) =>
    JSON.stringify({
      id: i,
      text: `${TEXTS[i % 4]} And number ${i} of these, which is ${i % 7} too.`,
    }),
  );
  const infoOf = async (name: string) =>
    JSON.parse((await succeed(['info', at(name), '--json'])).stdout).encodedBy;

  test('makes the index narrower when there are enough of them, in an index that was begun with two sentences too', async () => {
    await succeed(
      ['add', at('grown'), '-', ...options, '--dim', '16'],
      lines.slice(0, 2).join('\n'),
    );
    expect(await infoOf('grown')).toMatchObject({
      hidden: 48,
      dim: 48,
      narrowTo: 16,
    });
    await cp(at('grown'), at('half-grown'), { recursive: true });
    await succeed(['add', at('grown'), '-', '--dim', '16'], lines.join('\n'));
    const info = await infoOf('grown');
    expect(info).toMatchObject({ hidden: 48, dim: 16 });
    expect(info.narrowTo).toBeUndefined();
    expect(JSON.parse((await succeed(['info', at('grown'), '--json'])).stdout)).toMatchObject({
      dim: 16,
      documents: 1300,
    });
    const question = JSON.parse(lines[77]).text;
    expect(
      JSON.parse((await succeed(['search', at('grown'), '-k', '1', '--json', question])).stdout)
        .hits[0].id,
    ).toBe('77');
    await succeed(['verify', at('grown')]);
  });

  test('makes one of an earlier version narrower, which keeps by itself what it needs from then on', async () => {
    const model = at('bert');
    expect(await makeEarlier(at('half-grown'), { folder: model })).toMatchObject({ narrowTo: 16 });
    // what a run of that version leaves that was killed before the index became narrower
    const path = at('half-grown/encoder.json');
    const info = JSON.parse(await readFile(path, 'utf8'));
    const projection = 'f'.repeat(64);
    await writeFile(path, JSON.stringify({ ...info, dim: 16, projection, narrowTo: undefined }));
    await writeFile(at('half-grown/projection.npy'), 'of another run, cut off');
    await succeed(['verify', at('half-grown')]);
    expect(await infoOf('half-grown')).toMatchObject({ dim: 48, narrowTo: 16 });
    const asked = await succeed(['search', at('half-grown'), '-k', '1', '--json', 'owls']);
    expect(JSON.parse(asked.stdout).hits).toHaveLength(1);
    await succeed(['add', at('half-grown'), '-'], lines.join('\n'));
    for (const name of ['encoder.json', 'projection.npy']) await rm(at(`half-grown/${name}`));
    expect(await contents('half-grown')).toEqual(await contents('grown'));
    await succeed(['search', at('half-grown'), 'owls']);
  });
});

describe('an interruption', () => {
  const lines = Array.from({ length: 2500 }, (_, i) =>
    JSON.stringify({ id: i, text: `${TEXTS[i % 4]} And number ${i} too.` }),
  ).join('\n');

  test.each([
    ['SIGKILL', null, /./],
    ['SIGINT', 130, /\ninterrupted\n$/],
  ] as const)(
    'by %s in the first segment costs no more than what was under way; ' +
      'the same command ends as one that was left alone',
    async (signal, code, said) => {
      await writeFile(at('many.jsonl'), lines);
      if (!(await readdir(folder)).includes('undisturbed'))
        await succeed(['add', at('undisturbed'), at('many.jsonl'), ...options]);
      const args = ['add', at(signal), at('many.jsonl'), ...options];
      let child: ChildProcess | undefined;
      const run = runCli(args, (it) => {
        child = it;
      });
      const watched = setInterval(() => {
        if (!existsSync(at(`${signal}/segment.1.safetensors`))) return;
        clearInterval(watched);
        child?.kill(signal);
      }, 5);
      const stopped = await run;
      expect(stopped).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(said) });
      const { documents } = JSON.parse((await succeed(['info', at(signal), '--json'])).stdout);
      if (signal !== 'SIGKILL') expect(documents).toBeGreaterThan(0);
      expect(documents).toBeLessThan(2500);
      const { stdout, stderr } = await succeed(args);
      expect(stdout).toMatch(/; 2,500 documents\n/);
      expect(stderr).not.toContain('load the encoder');
      expect(await contents(signal)).toEqual(await contents('undisturbed'));
    },
  );

  test('while the encoder is being made leaves a folder that the next run takes', async () => {
    const args = ['add', at('early'), at('notes'), ...options, '--dim', '40'];
    const { code } = await runCli(args, (child) => child.kill('SIGINT'));
    expect(code).toBe(130);
    await succeed(args);
    expect(await contents('early')).toEqual(await contents('notes.lemur'));
  });

  test('by SIGTERM ends one that waits for standard input, which has put in what had come', async () => {
    const made = at('piped-slowly');
    let child: ChildProcess | undefined;
    const run = runCli(
      ['add', made, '-', ...options],
      (it) => {
        child = it;
      },
      {},
      '{"id":"x","text":"a lemur"}\n{"id":"y","text":"an otter"}\n',
      true,
    );
    const watched = setInterval(() => {
      if (!existsSync(`${made}/segment.1.safetensors`)) return;
      clearInterval(watched);
      child?.kill('SIGTERM');
    }, 5);
    const { code, stderr } = await run;
    expect([code, stderr]).toEqual([
      143,
      expect.stringMatching(/: 2 documents; the same command goes on from there\ninterrupted\n$/),
    ]);
    expect((await succeed(['verify', made])).stdout).toContain('all is well');
  });
});
