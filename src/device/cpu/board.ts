/**
 * What the workers of a job have in common, in shared memory: whether it has been stopped, and of
 * each step how many blocks were drawn and how many are done.
 */
export type Board = Int32Array;

const STOPPED = 0;
const DRAWN = 1;
const DONE = 2;

/** Looks at a step that others are finishing before a worker sleeps: some 20 microseconds. */
const LOOKS = 2000;

export function createBoard(steps: number): Board {
  return new Int32Array(new SharedArrayBuffer(4 * (1 + 2 * steps)));
}

/** Nobody draws any more, and who waits for others goes on. */
export function stopJob(board: Board): void {
  Atomics.store(board, STOPPED, 1);
  for (let at = DONE; at < board.length; at += 2) {
    // who has seen the old number and is about to sleep on it does not
    Atomics.add(board, at, 1);
    Atomics.notify(board, at);
  }
}

/** Number of a block of step `step` of so many that nobody else runs; -1: there is none. */
export function drawBlock(board: Board, step: number, blocks: number): number {
  if (Atomics.load(board, STOPPED) === 1) return -1;
  const block = Atomics.add(board, DRAWN + 2 * step, 1);
  return block < blocks ? block : -1;
}

/** A block of step `step` is done. True: all are, and the job has not been stopped. */
export function countBlock(board: Board, step: number, blocks: number): boolean {
  const at = DONE + 2 * step;
  if (Atomics.add(board, at, 1) + 1 !== blocks) return false;
  Atomics.notify(board, at);
  // a stop counts as a block of each step
  return Atomics.load(board, STOPPED) === 0;
}

/**
 * Waits until all blocks of a step are done: its values may be read then. False: the job was
 * stopped. Steps are short, and to wake a sleeping thread takes longer than most waits.
 */
export function awaitStep(board: Board, step: number, blocks: number): boolean {
  const at = DONE + 2 * step;
  for (let looks = 0; ; looks++) {
    const done = Atomics.load(board, at);
    if (Atomics.load(board, STOPPED) === 1) return false;
    if (done >= blocks) return true;
    if (looks >= LOOKS) Atomics.wait(board, at, done);
  }
}

/** Blocks drawn of all steps. */
export function blocksDrawn(board: Board, steps: readonly { readonly blocks: number }[]): number {
  let drawn = 0;
  for (const [i, { blocks }] of steps.entries())
    drawn += Math.min(blocks, Atomics.load(board, DRAWN + 2 * i));
  return drawn;
}
