/** What is made of items, in their order, of some of them at a time. */
export async function* inLanes<T, R>(
  items: AsyncIterable<T>,
  lanes: number,
  make: (item: T) => Promise<R>,
): AsyncGenerator<R, void, undefined> {
  const under: Promise<R>[] = [];
  try {
    for await (const item of items) {
      const made = make(item);
      // heard of where nobody waits for it at the moment
      made.catch(() => {});
      under.push(made);
      if (under.length >= lanes) yield await (under.shift() as Promise<R>);
    }
    while (under.length > 0) yield await (under.shift() as Promise<R>);
  } finally {
    await Promise.allSettled(under);
  }
}
