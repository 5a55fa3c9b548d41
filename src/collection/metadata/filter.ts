import type { Scalar } from './column.js';
import type { Metadata } from './metadata.js';

/**
 * Which documents pass, by their metadata:
 *
 * ```ts
 * { lang: 'en', year: { $gte: 2010, $lt: 2020 } }                     // all of them must hold
 * { tags: { $in: ['news', 'sport'] }, 'author.name': { $ne: 'X' } }
 * { $or: [{ doi: { $exists: true } }, { $not: { lang: 'en' } }] }
 * ```
 *
 * A field is a path: keys joined by dots. A document has *values* at a path: the scalar that is
 * there; the elements that are scalars where an array is; and through arrays of objects those of
 * every object (`'authors.name'`). Objects, arrays in arrays and empty arrays have no value, but
 * are something. A condition on values holds when it holds for **any** of them:
 *
 * | | passes |
 * |---|---|
 * | `v`, `{ $eq: v }` | a value is `v`: the same string, number or boolean, without conversion; `null`: a value is null, or nothing is at the path |
 * | `{ $in: [v, ...] }` | one of them is; an empty list passes nothing |
 * | `{ $gt: v }`, `$gte`, `$lt`, `$lte` | a number beyond a number, or a string beyond a string, by UTF-16 code units as in JavaScript; nothing else |
 * | `{ $ne: v }`, `{ $nin: [...] }` | exactly when `$eq`, `$in` does not: also where nothing is at the path, unless null is excluded |
 * | `{ $exists: true }` | something is at the path: null, an object or an empty array too; `false`: nothing is |
 * | `{ $not: { ... } }` | exactly when the operators within, taken together, do not |
 *
 * Several operators of a field must all hold, each for any of the values: `{ $gt: 1, $lt: 3 }`
 * passes `[0, 4]`. So must the fields of a filter and the filters of `$and`; of those of `$or` one
 * must, `$not` must not. `{}` and an empty `$and` pass everything, an empty `$or` nothing.
 *
 * With a type of the metadata (an interface will do) paths and operands are checked by the
 * compiler: paths of up to four keys, operands of the field's type (of its elements, for arrays) or
 * null. Without one, or where the type has an index signature, any path goes.
 */
export type Filter<M extends Metadata = Metadata> = string extends keyof M
  ? AnyFilter
  : { readonly [E in Entries<M> as E[0]]?: Condition<Reached<E[1]>> } & {
      /** All of these pass. */
      readonly $and?: readonly Filter<M>[];
      /** One of these passes. */
      readonly $or?: readonly Filter<M>[];
      /** This one does not pass. */
      readonly $not?: Filter<M>;
    };

/** A filter of metadata whose type is not known. */
export interface AnyFilter {
  /** All of these pass. */
  readonly $and?: readonly AnyFilter[];
  /** One of these passes. */
  readonly $or?: readonly AnyFilter[];
  /** This one does not pass. */
  readonly $not?: AnyFilter;
  /** Conditions; the others are here for the properties above alone. */
  readonly [path: string]: Condition | AnyFilter | readonly AnyFilter[] | undefined;
}

/** Condition on a field whose values are of type V: one of them, or operators. See `Filter`. */
export type Condition<V extends Scalar = Scalar> = V | null | FilterOperators<V>;

/** The operators of a field whose values are of type V. See `Filter`. */
export interface FilterOperators<V extends Scalar = Scalar> {
  /** A value is this one. */
  readonly $eq?: V | null;
  /** No value is this one. */
  readonly $ne?: V | null;
  /** A value is larger. */
  readonly $gt?: Ordered<V>;
  /** A value is larger or the same. */
  readonly $gte?: Ordered<V>;
  /** A value is smaller. */
  readonly $lt?: Ordered<V>;
  /** A value is smaller or the same. */
  readonly $lte?: Ordered<V>;
  /** A value is one of these. */
  readonly $in?: readonly (V | null)[];
  /** No value is one of these. */
  readonly $nin?: readonly (V | null)[];
  /** Whether something is at the path. */
  readonly $exists?: boolean;
  /** These operators, taken together, do not hold. */
  readonly $not?: FilterOperators<V>;
}

/**
 * Values that ranges compare; literals are widened, since any string may be the end of a range of
 * strings.
 */
type Ordered<V> = V extends number ? number : V extends string ? string : never;

/** Keys behind the first that a path may have: a bound for types that lie within themselves. */
type Levels = [1, 1, 1];

/** All paths within T with the types of what they lead to, as pairs. */
type Entries<T, Prefix extends string = '', Left extends unknown[] = Levels> = unknown extends T
  ? [`${Prefix}${string}`, T]
  : T extends Scalar | undefined
    ? never
    : T extends readonly (infer E)[]
      ? E extends readonly unknown[]
        ? never
        : Entries<E, Prefix, Left>
      : {
          [K in keyof T & string]-?:
            | [`${Prefix}${K}`, T[K]]
            | (Left extends [unknown, ...infer Fewer]
                ? Entries<T[K], `${Prefix}${K}.`, Fewer>
                : never);
        }[keyof T & string];

/** The types of the values that a path has which leads to a T. */
type Reached<T> = unknown extends T
  ? Scalar
  : T extends Scalar
    ? T
    : T extends readonly (infer E)[]
      ? Extract<E, Scalar>
      : never;
