import type { PickleReader } from './pickle-reader.js';
import type { PickleValue } from './pickle-values.js';

/** Levels of lists, tuples and dictionaries within one another; checkpoints have fewer than ten. */
const MOST_LEVELS = 64;
/** Values that a walk of all that is within it may meet: more than a pickle has bytes. */
const MOST_MET = 1 << 20;

/** A value's size and depth. */
interface Extent {
  /** Values that a walk meets, itself included, those that are shared as often as they are met. */
  readonly met: number;
  readonly levels: number;
}

type Container = Extract<PickleValue, readonly PickleValue[] | ReadonlyMap<unknown, unknown>>;

/** A container that is being looked into. */
interface Visit {
  readonly container: Container;
  readonly items: Iterator<PickleValue>;
  met: number;
  levels: number;
}

const LEAF: Extent = { met: 1, levels: 0 };

/**
 * Raises 'unsupported' for a value that lies within itself, is nested too deeply, or shares its
 * parts so often that whoever walks it would not come to an end: a pickle of 100 bytes may hold
 * 2^40 values. Looks at each container once, without recursion.
 */
export function checkExtent(value: PickleValue, reader: PickleReader): void {
  const known = new Map<Container, Extent>();
  const open = new Set<Container>();
  const visits: Visit[] = [];
  /** Its extent; undefined: it is now the last of the visits. */
  const look = (item: PickleValue): Extent | undefined => {
    if (!isContainer(item)) return LEAF;
    const found = known.get(item);
    if (found) return found;
    if (open.has(item)) throw reader.unsupported('a value that contains itself');
    if (visits.length === MOST_LEVELS)
      throw reader.unsupported(`more than ${MOST_LEVELS} levels of values within values`);
    open.add(item);
    visits.push({ container: item, items: item.values(), met: 1, levels: 0 });
    return undefined;
  };
  look(value);
  for (let visit = visits.at(-1); visit; visit = visits.at(-1)) {
    const next = visit.items.next();
    if (!next.done) {
      count(visit, look(next.value), reader);
      continue;
    }
    const { container, met } = visit;
    const extent = { met, levels: visit.levels + 1 };
    known.set(container, extent);
    open.delete(container);
    visits.pop();
    const holder = visits.at(-1);
    // what was looked into before may be deep itself
    if (visits.length + extent.levels > MOST_LEVELS)
      throw reader.unsupported(`more than ${MOST_LEVELS} levels of values within values`);
    if (holder) count(holder, extent, reader);
  }
}

function count(visit: Visit, extent: Extent | undefined, reader: PickleReader): void {
  if (!extent) return;
  visit.met += extent.met;
  visit.levels = Math.max(visit.levels, extent.levels);
  if (visit.met > MOST_MET)
    throw reader.unsupported(`values shared so often that it holds more than ${MOST_MET} of them`);
}

function isContainer(value: PickleValue): value is Container {
  return Array.isArray(value) || value instanceof Map;
}
