// Compiled by filter-types.built.test.ts, never run: what the compiler must take, and (each line
// behind @ts-expect-error) what it must refuse.
import type { Filter } from '../../../src/collection/metadata/filter.js';
import type { Metadata } from '../../../src/collection/metadata/metadata.js';

interface Paper {
  year: number;
  lang: 'en' | 'de';
  open?: boolean;
  doi: string | null;
  tags: string[];
  readonly grades?: readonly number[];
  author: { name: string; born?: number; address: { city: string } };
  reviewers?: { name: string; marks: number[] }[];
  counts: Record<string, number>;
  anything: unknown;
}

/** Paths and operands. */
export const taken: Filter<Paper>[] = [
  {},
  { year: 2020, lang: 'en', open: true, doi: null },
  { year: { $gte: 2010, $lt: 2020 }, lang: { $in: ['en', 'de'] }, open: { $ne: false } },
  { lang: { $gte: 'd' } },
  { tags: 'a', grades: { $gt: 1 } },
  { tags: { $nin: ['a', null], $exists: true } },
  {
    'author.name': 'X',
    'author.born': { $lte: 1900 },
    'author.address.city': { $not: { $eq: 'Y', $gt: 'A' } },
  },
  { author: { $exists: true }, 'author.address': { $exists: false }, reviewers: { $exists: true } },
  { 'reviewers.name': { $in: ['X'] }, 'reviewers.marks': { $gte: 3 } },
  { 'counts.of-anything': { $gt: 5 } },
  { anything: 'a', 'anything.at.all': { $gt: 5 } },
  { year: null, 'author.name': { $ne: null } },
  { $and: [{ year: 2020 }, { $or: [{ lang: 'en' }, { $not: { open: true } }] }], tags: 'a' },
];

export const refused: Filter<Paper>[] = [
  // @ts-expect-error no such field
  { yeer: 2020 },
  // @ts-expect-error no such nested field
  { 'author.nam': 'X' },
  // @ts-expect-error a string for a number
  { year: '2020' },
  // @ts-expect-error a number for a string
  { doi: 10 },
  // @ts-expect-error not one of the literals
  { lang: 'fr' },
  // @ts-expect-error the element's type
  { tags: 5 },
  // @ts-expect-error an array as a value
  { tags: ['a'] },
  // @ts-expect-error a nested object as a value
  { author: { name: 'X' } },
  // @ts-expect-error a string for a number
  { year: { $gte: '2010' } },
  // @ts-expect-error a number among strings
  { tags: { $in: ['a', 5] } },
  // @ts-expect-error not a list
  { tags: { $in: 'a' } },
  // @ts-expect-error no such operator
  { year: { $regex: 'a' } },
  // @ts-expect-error booleans have no order
  { open: { $gt: false } },
  // @ts-expect-error not a boolean
  { doi: { $exists: 1 } },
  // @ts-expect-error the same within filters
  { $and: [{ year: 2020 }, { yeer: 2020 }] },
  // @ts-expect-error the same within filters
  { $not: { 'author.born': 'X' } },
  // @ts-expect-error a filter, not a list of them
  { $or: { year: 2020 } },
  // @ts-expect-error the values of a record
  { 'counts.a': 'b' },
  // @ts-expect-error within an array's elements
  { 'reviewers.name': 5 },
  // @ts-expect-error undefined is refused when it runs, too
  { year: undefined },
];

/** Without a type. */
export const untyped: Filter[] = [
  {},
  { a: 1, b: 'x', c: null, 'd.e': { $gte: 1 }, f: { $in: ['a', 2, true, null] } },
  { $and: [{ a: 1 }, { $or: [{ b: { $exists: false } }, { $not: { c: 'x' } }] }], d: true },
];

export const untypedRefused: Filter[] = [
  // @ts-expect-error an array as a value
  { a: ['b'] },
  // @ts-expect-error not a filter
  { $and: [1] },
  // @ts-expect-error not a value
  { a: { $gt: new Date() } },
  // @ts-expect-error not a value
  { a: 1n },
];

// biome-ignore lint/suspicious/noExplicitAny: it is what is tested
export const ofAny: Filter<any> = { a: { b: 1 }, 'c.d': { $gt: 'x' } };
export const ofMetadata: Filter<Metadata> = untyped[0];

/** Types that lie within themselves. */
interface Tree {
  name: string;
  parent?: Tree;
  children: Tree[];
  left?: Tree;
  right?: Tree;
}
export const tree: Filter<Tree> = { 'children.parent.left.name': { $ne: 'X' }, 'parent.name': 'Y' };
// @ts-expect-error a field's type
export const wrongTree: Filter<Tree> = { 'children.name': 5 };
type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
export const ofJson: Filter<{ extra: Json; n: number }> = { 'extra.a.b': 1, n: { $gt: 3 } };

/** Either of two shapes: fields of both. */
type Either = { kind: 'a'; size: number } | { kind: 'b'; name: string };
export const either: Filter<Either> = {
  $or: [
    { kind: 'a', size: { $gt: 1 } },
    { kind: 'b', name: 'X' },
  ],
};
// @ts-expect-error a field's type
export const wrongEither: Filter<Either> = { size: 'X' };

/** Interfaces and types are metadata alike. */
export function generic<M extends Metadata>(filter: Filter<M>): Filter<M> {
  return filter;
}
generic<Paper>({ year: 2020 });
generic({ anything: 2020 });
// @ts-expect-error no such field
generic<Paper>({ yeer: 2020 });
