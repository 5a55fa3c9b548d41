import type { LemurError } from '../errors.js';
import type { SkippedFile } from '../files/node-folder-file.js';
import { shown } from './print.js';
import type { Reporter } from './progress.js';
import { counted, inCommands } from './text-layout.js';

/** Lines about files in one run. */
const MOST_LINES = 20;

/** Says of files that were left out, once each, what is wrong with them. */
export class SkippedFiles {
  readonly #reporter: Reporter;
  readonly #known = new Set<string>();
  readonly #waiting: LemurError[] = [];
  #lines = 0;
  #more = 0;

  constructor(reporter: Reporter) {
    this.#reporter = reporter;
  }

  /** The one that waits to be told of; undefined where there are none or several. */
  get only(): LemurError | undefined {
    return this.#waiting.length === 1 ? this.#waiting[0] : undefined;
  }

  /** Keeps one until `tell`. Those of which nothing is wrong are counted elsewhere. */
  add({ path, error }: SkippedFile): void {
    if (!error) return;
    // one line says what to install, however many files need it
    const name = error.code === 'missing-package' ? error.message : path;
    if (this.#known.has(name)) return;
    this.#known.add(name);
    this.#waiting.push(error);
  }

  /** Tells of those since the last time, of so many in all. */
  tell(): void {
    for (const { message } of this.#waiting.splice(0)) {
      if (this.#lines++ < MOST_LINES) this.#reporter.note(`left out ${shown(inCommands(message))}`);
      else this.#more++;
    }
    if (this.#more > 0) this.#reporter.note(`left out ${counted(this.#more, 'more file')}`);
    this.#more = 0;
  }
}
