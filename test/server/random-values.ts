/** Draws by a seed: one of a list, or a value of JSON of any kind. */
export function numbersOf(seed: number): {
  draw: <T>(from: readonly T[]) => T;
  value: () => unknown;
} {
  let state = seed;
  const draw = <T>(from: readonly T[]): T => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return from[(state >> 8) % from.length];
  };
  const plain = [null, true, false, 0, 1, -1, 3, 0.5, 1e300, 2 ** 40, '', 'x', 'query', 'text'];
  const texts = ['do statins work?', '../../etc/passwd', '\ud800', '\u0000', 'meaning', 'source'];
  const value = (depth = 0): unknown => {
    const kind = draw(['plain', 'text', 'array', 'object', 'filter', 'vectors']);
    if (depth > 3 || kind === 'plain') return draw(plain);
    if (kind === 'text') return draw(texts);
    if (kind === 'array') return Array.from({ length: draw([0, 1, 3]) }, () => value(depth + 1));
    if (kind === 'filter')
      return { [draw(['year', '$and', '$or', '__proto__'])]: value(depth + 1) };
    if (kind === 'vectors') return [Array.from({ length: draw([0, 3, 16]) }, () => draw([0, 1]))];
    return { id: draw(texts), [draw(texts)]: value(depth + 1) };
  };
  return { draw, value };
}
