// The sum of the four lanes of int32.
// @ts-expect-error: decorator
@inline
export function sumOf(s: v128): i32 {
  return (
    i32x4.extract_lane(s, 0) +
    i32x4.extract_lane(s, 1) +
    i32x4.extract_lane(s, 2) +
    i32x4.extract_lane(s, 3)
  );
}
