import type { Progress } from '../run-options.js';
import { shown } from './print.js';
import { counted, duration, grouped } from './text-layout.js';
import { SingleBar } from './vendor.js';

/** How long a step took, and the parts of it that the library reported. */
export interface StepTime {
  seconds: number;
  parts: Record<string, number>;
}

/**
 * Tells a person what is going on: bars where `stream` is a terminal, elsewhere a line at the start
 * and the end of each step.
 */
export interface Reporter {
  /**
   * Runs a step. What it reports moves the bar; the time of each part is kept. `quiet`: no line is
   * written unless it takes long.
   */
  step<T>(
    title: string,
    run: (onProgress: (progress: Progress) => void) => Promise<T>,
    quiet?: boolean,
  ): Promise<{ value: T; time: StepTime }>;
  /** A line of its own. */
  note(line: string): void;
}

export type ProgressStream = NodeJS.WritableStream & { isTTY?: boolean };

/** The library's stages in the words of its readers, and what it counts there. */
const WORDS: Record<string, { part: string; noun?: string; rated?: true }> = {
  add: { part: 'documents', noun: 'document', rated: true },
  list: { part: 'looking', noun: 'file' },
  verify: { part: 'reading', noun: 'byte', rated: true },
  compact: { part: 'rewriting', noun: 'document' },
  rewrite: { part: 'rewriting', noun: 'document' },
  tune: { part: 'measuring' },
  search: { part: 'searching', noun: 'query' },
  tokenize: { part: 'tokens', noun: 'text' },
  encode: { part: 'encoding', noun: 'text' },
  'second moment': { part: 'principal components', noun: 'token' },
  project: { part: 'projecting', noun: 'token' },
  targets: { part: 'targets' },
  train: { part: 'training', noun: 'step' },
  features: { part: 'features' },
  gram: { part: 'Gram matrix' },
  cholesky: { part: 'factor' },
  'document weights': { part: 'document weights' },
  measure: { part: 'measuring', noun: 'query' },
  'exact MaxSim': { part: 'exact MaxSim', noun: 'query' },
};
const PLURALS: Record<string, string> = { query: 'queries' };
/** Without a terminal a step that takes long says where it is, that often. */
const SIGN_OF_LIFE_MS = 30_000;
/** Quiet steps that take longer are told of. */
const WORTH_SAYING_S = 5;
/** Parts shorter than this are not listed. */
const WORTH_LISTING = 0.05;

export function createReporter(stream: ProgressStream): Reporter {
  const write = (line: string): void => void stream.write(`${shown(line)}\n`);
  /** Bars that are on the screen, and lines that wait until they are gone. */
  let bars = 0;
  const waiting: string[] = [];
  return {
    note: (line) => void (bars > 0 ? waiting.push(line) : write(line)),
    async step(title, run, quiet = false) {
      const started = performance.now();
      const bar = stream.isTTY ? terminalBar(stream, shown(title)) : undefined;
      if (bar) bars++;
      else if (!quiet) write(`${title} …`);
      const parts: Record<string, number> = {};
      let part: string | undefined;
      let since = started;
      let spoken = started;
      let stage: string | undefined;
      let first = { done: 0, at: started };
      const enter = (next: string | undefined): void => {
        const now = performance.now();
        if (part !== undefined) parts[part] = (parts[part] ?? 0) + (now - since) / 1000;
        part = next;
        since = now;
      };
      try {
        const value = await run((progress) => {
          if (progress.stage !== stage) {
            stage = progress.stage;
            first = { done: progress.done, at: performance.now() };
          }
          const name = wordsOf(progress.stage)?.part ?? progress.stage;
          if (name !== part) enter(name);
          const what = describeProgress(progress, rateSince(first, progress.done));
          bar?.show(progress, shown(what));
          if (!bar && performance.now() > spoken + SIGN_OF_LIFE_MS) {
            spoken = performance.now();
            write(`  ${what}`);
          }
        });
        enter(undefined);
        const time = { seconds: (performance.now() - started) / 1000, parts };
        bar?.clear();
        if (!quiet || time.seconds > WORTH_SAYING_S) write(`${title}: ${describeTime(time)}`);
        return { value, time };
      } finally {
        bar?.clear();
        if (bar && --bars === 0) for (const line of waiting.splice(0)) write(line);
      }
    },
  };
}

/** `40.1 s (targets 9.0 s, training 20.3 s, …)`; a single part says nothing new. */
export function describeTime({ seconds, parts }: StepTime): string {
  const listed = Object.entries(parts).filter(([, part]) => part >= WORTH_LISTING);
  if (listed.length < 2) return duration(seconds);
  const described = listed.map(([name, part]) => `${name} ${duration(part)}`);
  return `${duration(seconds)} (${described.join(', ')})`;
}

/** The words of a stage; a download's has the file's name in it. */
function wordsOf(stage: string): (typeof WORDS)[string] | undefined {
  return (
    WORDS[stage] ?? (stage.startsWith('download ') ? { part: stage, noun: 'byte' } : undefined)
  );
}

/** A bar that is there while a step lasts; each part of the step starts it anew. */
function terminalBar(
  stream: NodeJS.WritableStream,
  title: string,
): { show(progress: Progress, what: string): void; clear(): void } {
  const bar = new SingleBar({
    stream,
    format: `${title} [{bar}] {percentage} % {what}`,
    barCompleteChar: '=',
    barIncompleteChar: ' ',
    barsize: 30,
    clearOnComplete: true,
    hideCursor: true,
    gracefulExit: false,
    fps: 8,
  });
  let stage: string | undefined;
  bar.start(1, 0, { what: '' });
  return {
    show(progress, what) {
      if (progress.stage !== stage) {
        stage = progress.stage;
        // 0: nobody knows how much will come
        bar.setTotal(progress.total || Infinity);
      }
      bar.update(progress.done, { what });
    },
    clear: () => bar.stop(),
  };
}

/** Of a stage so far, a second; undefined before there is much to tell from. */
function rateSince(first: { done: number; at: number }, done: number): number | undefined {
  const seconds = (performance.now() - first.at) / 1000;
  return seconds >= 1 && done > first.done ? (done - first.done) / seconds : undefined;
}

function describeProgress({ stage, done, total }: Progress, rate: number | undefined): string {
  const words = wordsOf(stage);
  if (!words?.noun) return words?.part ?? stage;
  const plural = PLURALS[words.noun];
  const count =
    total > 0
      ? `${grouped(done)} of ${counted(total, words.noun, plural)}`
      : counted(done, words.noun, plural);
  const left =
    rate !== undefined && total > done ? `, ${duration((total - done) / rate)} left` : '';
  return words.rated
    ? `${count}${rate === undefined ? '' : `, ${grouped(rate)} a second`}${left}`
    : `${words.part}: ${count}`;
}
