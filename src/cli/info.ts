import { examples, path, shared } from './arguments.js';
import { type Context, interruptible } from './context.js';
import { type Description, describePath } from './describe.js';
import { describeDevice, formatDevice } from './describe-device.js';
import { shown } from './print.js';
import { megabytes } from './text-layout.js';
import type { Command } from './vendor.js';

/** The command `info`: says what a path holds, or what computes. */
export function registerInfo(program: Command, { signal, print, printJson }: Context): void {
  const command: Command = program
    .command('info')
    .summary('say what a file or folder holds, or what computes')
    .description(
      'Says what a path holds: an index, a saved Lemur, an index of the Python ' +
        'reference, a LEMUR artefact of txtai, token vectors, .npy, safetensors, a torch ' +
        'file, JSON lines, a BEIR folder, an encoder, texts. Nothing in it is executed. With ' +
        '--device: which runtime, threads and kernels would compute here.',
    )
    .argument('[path]', 'a file or a folder', path)
    .option('--device', 'say what computes, in place of a path')
    .addOption(shared.json())
    .addHelpText(
      'after',
      examples(
        'lemur info .lemur-demo/scifact-1000',
        'lemur info vectors.npy --json',
        'lemur info --device',
      ),
    )
    .action(async (path: string | undefined, options: { json?: true; device?: true }) => {
      if (options.device) {
        if (path !== undefined)
          command.error("error: a path cannot be used with option '--device'");
        const device = await interruptible(signal, describeDevice());
        return options.json ? printJson(device, 2) : print(formatDevice(device));
      }
      if (path === undefined)
        command.error("error: missing required argument 'path' (or --device)");
      const description = await interruptible(signal, describePath(path));
      if (options.json) printJson(description, 2);
      else print(formatDescription(description));
    });
}

function formatDescription({ path, kind, bytes, ...fields }: Description): string {
  return [
    `${shown(path)}: ${kind}, ${megabytes(bytes)}`,
    ...Object.entries(fields).flatMap(([name, value]) => linesOf(shown(name), value, 1)),
  ].join('\n');
}

/** A line for each value; objects of more than one level are indented. */
function linesOf(name: string, value: unknown, depth: number): string[] {
  const indent = '  '.repeat(depth);
  if (value === undefined) return [];
  if (typeof value !== 'object' || value === null)
    return [`${indent}${name}: ${shown(String(value))}`];
  if (Array.isArray(value))
    return [`${indent}${name}: ${value.map(inLine).join(name === 'shape' ? ' x ' : ', ')}`];
  const { type, shape, ...others } = value as { type?: unknown; shape?: unknown };
  if (Array.isArray(shape) && Object.keys(others).length === 0) {
    const size = shape.length === 0 ? 'a single value' : shape.join(' x ');
    return [`${indent}${name}: ${shown([type, size].filter(Boolean).join(' '))}`];
  }
  return [
    `${indent}${name}:`,
    ...Object.entries(value).flatMap(([key, item]) => linesOf(shown(key), item, depth + 1)),
  ];
}

function inLine(value: unknown): string {
  return shown(typeof value === 'object' ? JSON.stringify(value) : String(value));
}
