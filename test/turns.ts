/** What a piece of work came to, and how often it gave the thread away meanwhile. */
export interface Turns<T> {
  readonly value: T;
  readonly turns: number;
}

/**
 * Runs work and counts the turns of the event loop in which something else could have run: no clock
 * is asked.
 */
export async function turnsOf<T>(work: () => Promise<T>): Promise<Turns<T>> {
  let turns = -1; // the first is there for the asking
  let on = true;
  const turn = (): void => {
    turns++;
    if (on) setImmediate(turn);
  };
  await new Promise<void>((resolve) => {
    setImmediate(() => {
      turn();
      resolve();
    });
  });
  try {
    return { value: await work(), turns };
  } finally {
    on = false;
  }
}
