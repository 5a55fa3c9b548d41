import { LOOK_LIMIT, LOOK_SHIFT, type LookKernels, lookLanes } from '../look-kernels.js';
import { type Block, given, room, scratch } from './blocks.js';
import type { Calls } from './product-calls.js';

/** Query lanes: panels of 8 and 16, whole and not. */
const LANES = [3, 8, 16, 26];
/** Tokens of the documents of a call. */
const COUNTS = [1, 2, 3, 9, 18];
const TOKENS = 33;
const DIMS = [48, 128];

/** A first look: how its operands are laid out, and its largest products. */
export const lookCalls: Record<keyof LookKernels, Calls> = {
  packLanesU7: (draw) =>
    LANES.flatMap((lanes) =>
      DIMS.map((dim) => {
        const out = room('i8', lookLanes(lanes) * dim);
        return [draw.i16(lanes * dim, 4095), lanes, dim, 65, out, room('i32', lanes)];
      }),
    ),
  sumTokensI8: (draw) =>
    DIMS.map((dim) => {
      const [offsets, norms] = [room('i32', TOKENS), room('i32', COUNTS.length)];
      return [draw.i8(TOKENS * dim), dim, given('i32', COUNTS), COUNTS.length, offsets, norms];
    }),
  maxDotsU7: (draw) =>
    LANES.flatMap((lanes) =>
      DIMS.map((dim) => [
        shifted(draw.i16(lookLanes(lanes) * dim, LOOK_LIMIT)),
        lanes,
        dim,
        draw.i8(TOKENS * dim),
        given('i32', draw.i16(TOKENS, 8000).values),
        given('i32', COUNTS),
        COUNTS.length,
        room('f32', lanes * 6),
        6,
        scratch('f32', 16),
      ]),
    ),
};

function shifted({ values }: Block): Block {
  return given(
    'i8',
    Array.from(values, (code) => code + LOOK_SHIFT),
  );
}
