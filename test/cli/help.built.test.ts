import { describe, expect, test } from 'vitest';
import { runInProcess } from '../fuzz/run-in-process.js';
import { runCli } from './run-cli.js';

describe('help', () => {
  test('lists the commands with examples', async () => {
    const { code, stdout, stderr } = await runCli(['--help']);
    expect(code).toBe(0);
    expect(stderr).toBe('');
    for (const part of [
      'add',
      'search',
      'fit',
      'tune',
      'delete',
      'compact',
      'verify',
      'serve',
      'mcp',
      'eval',
      'bench',
      'info',
      'convert',
      'demo',
      '--version',
      'Exit codes:',
      '130 ',
      'Examples:',
      '$ lemur search',
    ])
      expect(stdout).toContain(part);
  });

  test.each([
    [
      'demo',
      [
        '--documents <n>',
        'default: 1000',
        '--full',
        '--out <folder>',
        '--model <checkpoint>',
        '--threads <n>',
      ],
    ],
    [
      'add',
      [
        '<index>',
        '<source...>',
        '--on-existing <what>',
        '--replace',
        '--precision <name>',
        '--pooling <n>',
        '--features <name>',
        '--dim <n>',
      ],
    ],
    [
      'search',
      [
        '<index>',
        '[question...]',
        '-k <n>',
        '--candidates <n>',
        '--recall <share>',
        '--exact',
        '--filter <json>',
        '--evidence',
        '--json',
      ],
    ],
    [
      'eval',
      ['<index>', '-k <n>', '--candidates <n...>', '--queries <path>', '--qrels <file>', '--json'],
    ],
    [
      'bench',
      ['<index>', '--queries <path>', '--qrels <file>', '--recall <share>', '--plot <file>'],
    ],
    [
      'fit',
      [
        '<index>',
        '--out <index>',
        '--model <checkpoint>',
        '--learn <path>',
        '--final-hidden-dim <n>',
        '--prefix-dim <n>',
        '--random-features',
      ],
    ],
    ['tune', ['<index>', '--recall <share>', '--queries <path>']],
    ['delete', ['<index>', '[id...]', '--filter <json>']],
    ['compact', ['<index>', '--threads <n>']],
    ['verify', ['<index>', '--json']],
    ['info', ['[path]', '--device', '--json']],
    [
      'convert',
      [
        '<from>',
        '<to>',
        '--format <name>',
        '--force',
        '--sample <path>',
        '--documents <path>',
        '--index <folder>',
      ],
    ],
  ])('of %s names its options and gives examples', async (command, parts) => {
    const { exitCode, stdout } = await runInProcess([command, '--help'], []);
    expect(exitCode).toBe(0);
    for (const part of [...parts, 'Examples:', `$ lemur ${command}`])
      expect(stdout).toContain(part);
  });

  test('comes on standard error, as a usage error, when no command is given', async () => {
    const { code, stdout, stderr } = await runCli([]);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain('Usage: lemur');
  });

  test('help COMMAND is the same as COMMAND --help', async () => {
    const [asked, option] = await Promise.all([runCli(['help', 'add']), runCli(['add', '--help'])]);
    expect(asked).toEqual(option);
    expect(asked.stdout).toContain('Usage: lemur add');
  });

  test('--version prints the version of the package', async () => {
    const { code, stdout } = await runCli(['--version']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
