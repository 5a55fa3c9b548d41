import type { Progress } from '../run-options.js';
import { shown } from './print.js';
import { duration, grouped } from './text-layout.js';
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

export type ProgressStream = NodeJS.WritableStream & { isTTY?: boolean; columns?: number };

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
  read: { part: 'reading', noun: 'document' },
  round: { part: 'rounding', noun: 'encoding' },
  muvera: { part: 'MUVERA', noun: 'document' },
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
          const rate = rateSince(first, progress.done);
          const what = describeProgress(progress, rate, bar?.isNarrow);
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

/** Columns of a bar. */
const [LEAST_BAR, MOST_BAR] = [8, 30];
/** Columns beside a title and a bar: percent, count, rate, time left, as long as these get. */
const BESIDE = 65;
/** What is left of that where the terminal is narrow. */
const BESIDE_NARROW = 48;

/** A bar that is there while a step lasts; each part of the step starts it anew. */
function terminalBar(
  stream: ProgressStream,
  title: string,
): { isNarrow: boolean; show(progress: Progress, what: string): void; clear(): void } {
  const { columns = 80 } = stream;
  const isNarrow = columns < title.length + BESIDE + LEAST_BAR;
  const room = isNarrow ? columns - BESIDE_NARROW : columns - title.length - BESIDE;
  const bar = new SingleBar({
    stream,
    format: `${isNarrow ? '' : `${title} `}[{bar}] {percentage} % {what}`,
    barCompleteChar: '=',
    barIncompleteChar: ' ',
    barsize: Math.max(LEAST_BAR, Math.min(MOST_BAR, room)),
    clearOnComplete: true,
    hideCursor: true,
    gracefulExit: false,
    fps: 8,
  });
  let stage: string | undefined;
  bar.start(1, 0, { what: '' });
  return {
    isNarrow,
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

function describeProgress(
  { stage, done, total }: Progress,
  rate: number | undefined,
  isNarrow = false,
): string {
  const words = wordsOf(stage);
  if (!words?.noun) return words?.part ?? stage;
  const plural = PLURALS[words.noun];
  const number = total > 0 ? `${grouped(done)} of ${grouped(total)}` : grouped(done);
  const noun = (total || done) === 1 ? words.noun : (plural ?? `${words.noun}s`);
  const count = isNarrow ? number : `${number} ${noun}`;
  if (!words.rated) return `${words.part}: ${count}`;
  if (rate === undefined) return count;
  const left = total > done ? `, ${duration((total - done) / rate)} left` : '';
  return `${count}, ${paceOf(rate, isNarrow)}${left}`;
}

function paceOf(rate: number, isNarrow: boolean): string {
  if (rate < 1) return `${duration(1 / rate)} each`;
  return `${grouped(rate)}${isNarrow ? '/s' : ' a second'}`;
}
