import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type PromptOptions, promptedQuestions } from '../../src/cli/prompt.js';

const UP = '\u001b[A';
const CTRL_C = '\u0003';
const CTRL_D = '\u0004';

let folder: string;
let history: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lemur-prompt-'));
  history = join(folder, 'cache', 'questions');
});
afterEach(() => rm(folder, { recursive: true }));

function opened(options: Pick<PromptOptions, 'interrupt'> & Partial<PromptOptions>) {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const { signal } = new AbortController();
  const questions = promptedQuestions({ input, output, history, signal, ...options });
  return { input, output, questions };
}

/** What is asked when a person presses these keys, each group once the one before is answered. */
async function typed(...keys: string[]) {
  let interrupts = 0;
  const { input, output, questions } = opened({ interrupt: () => void interrupts++ });
  const asked: string[] = [];
  const rest = [...keys];
  const press = () => {
    const next = rest.shift();
    if (next !== undefined) setImmediate(() => input.write(next));
  };
  press();
  for await (const question of questions) {
    asked.push(question);
    press();
  }
  return { asked, interrupts, shown: String(output.read() ?? '') };
}

describe('the prompt for questions', () => {
  test('gives one question after the other, and ends with Ctrl-D', async () => {
    const { asked, shown } = await typed('what is new?\r', '\r  where?  \r', CTRL_D);
    expect(asked).toEqual(['what is new?', 'where?']);
    expect(shown.split('? ').length).toBeGreaterThan(3);
    expect(shown.endsWith('\n')).toBe(true);
  });

  test('ends with exit and with quit', async () => {
    expect((await typed('one\r', 'exit\r')).asked).toEqual(['one']);
    expect((await typed('quit\r')).asked).toEqual([]);
  });

  test('gives up a line that was begun by Ctrl-C, and ends by it on an empty one', async () => {
    const { asked, interrupts } = await typed(`not this${CTRL_C}this\r`, CTRL_C);
    expect(asked).toEqual(['this']);
    expect(interrupts).toBe(0);
  });

  test('interrupts an answer that is being made by Ctrl-C', async () => {
    const [input, output] = [new PassThrough(), new PassThrough()];
    const abort = new AbortController();
    const interrupt = () => abort.abort();
    const questions = promptedQuestions({
      input,
      output,
      history,
      signal: abort.signal,
      interrupt,
    });
    setImmediate(() => input.write('one\r'));
    expect((await questions.next()).value).toBe('one');
    const ended = new Promise((resolve) => abort.signal.addEventListener('abort', resolve));
    input.write(CTRL_C);
    await ended;
    await questions.return(undefined);
  });

  test('brings earlier questions by the arrow keys, of another time too', async () => {
    await typed('first\r', 'second\r', CTRL_D);
    const { asked } = await typed(`${UP}\r`, `${UP}${UP}\r`, CTRL_D);
    expect(asked).toEqual(['second', 'first']);
  });

  test('brings none that would steer the terminal', async () => {
    await mkdir(join(folder, 'cache'), { recursive: true });
    await writeFile(history, 'plain\n\u001b]0;title\u0007hidden\nturned \u202e round\n');
    expect((await typed(`${UP}\r`, CTRL_D)).asked).toEqual(['plain']);
  });

  test.skipIf(process.platform === 'win32')('keeps them for this user alone', async () => {
    await typed('a secret\r', CTRL_D);
    expect(await readFile(history, 'utf8')).toBe('a secret\n');
    expect((await stat(history)).mode & 0o777).toBe(0o600);
  });

  test('works where they cannot be kept', async () => {
    await writeFile(join(folder, 'cache'), 'a file');
    expect((await typed('one\r', CTRL_D)).asked).toEqual(['one']);
    await rm(join(folder, 'cache'));
    await mkdir(history, { recursive: true });
    expect((await typed('two\r', CTRL_D)).asked).toEqual(['two']);
  });

  test('asks nothing of a megabyte that was pasted, and goes on', async () => {
    const { asked, shown } = await typed(`${'x'.repeat(2 ** 20)}\rand this?\r`, CTRL_D);
    expect(asked).toEqual(['and this?']);
    expect(shown).toContain('not asked: a line of 8192 characters or more');
    expect(await readFile(history, 'utf8')).toBe('and this?\n');
  });
});
