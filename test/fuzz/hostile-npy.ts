import type { Random } from '../mutations.js';

const GOOD = [
  '<f4',
  '<f8',
  '|u1',
  '|i1',
  '<i2',
  '<u2',
  '<i4',
  '<u4',
  '<i8',
  '<u8',
  '|b1',
  '<f2',
  '>i1',
];
const BAD = ['>f4', '|O', '<U5', '<c8', 'f4', '', '<f16', '__proto__', 'é'];
const LENGTHS = [
  ...['0', '1', '2', '3', '4', '3', '2', '00', '-1', '1.0', '1e3', '2L', 'True', '', '0x10'],
  ...[
    '65536',
    '4294967296',
    '9007199254740991',
    '9007199254740992',
    '18446744073709551616',
    '9'.repeat(400),
  ],
];

/** A .npy file whose header is written like numpy's, from parts of which some make no sense. */
export function hostileNpy(random: Random): Uint8Array {
  const quote = random.oneIn(12) ? '`' : random.pick(["'", '"']);
  const quoted = (word: string): string => `${quote}${word}${quote}`;
  const dtype = random.pick(random.oneIn(5) ? BAD : GOOD);
  const descr = random.oneIn(10)
    ? random.pick(['[]', "[('a', '<f4')]", 'None', '(', "'\\x3cf4'"])
    : quoted(dtype);
  const axes = random.oneIn(30) ? random.pick([40, 3000]) : random.below(4);
  const few = !random.oneIn(3);
  const lengths = Array.from({ length: axes }, () =>
    few ? String(1 + random.below(3)) : random.pick(LENGTHS),
  );
  const shape = random.oneIn(10)
    ? random.pick(['()', '(3)', '(,)', '[2]', '((2,),)', '(2', '3'])
    : `(${lengths.map((n) => `${n}, `).join('')})`;
  const entries = [
    `${quoted('descr')}: ${descr}`,
    `${quoted('fortran_order')}: ` +
      `${random.oneIn(8) ? random.pick(['True', 'false', '0', '']) : 'False'}`,
    `${quoted('shape')}: ${shape}`,
  ];
  if (random.oneIn(8))
    entries.splice(
      random.below(4),
      0,
      random.pick([...entries, `${quoted('x')}: 1`, '', `${quoted('__proto__')}: {}`]),
    );
  if (random.oneIn(8)) entries.splice(random.below(3), 1);
  if (random.oneIn(4)) entries.reverse();
  const comma = random.pick([', ', '', ',,']);
  const behind = random.pick(['', '', ' \n', '\0', '}']);
  const dict = `{${entries.join(', ')}${comma}}${behind}`;
  const text = Buffer.from(
    random.oneIn(10) ? dict : dict.padEnd(random.pick([54, 117, 118, 246])),
    random.oneIn(4) ? 'utf8' : 'latin1',
  );

  const version = random.pick(random.oneIn(10) ? [0, 4, 255] : [1, 1, 2, 3]);
  const said = random.oneIn(10)
    ? random.pick([0, 1, text.length - 1, text.length + 1, 65_535])
    : text.length;
  const size =
    version === 1
      ? [said & 255, (said >> 8) & 255]
      : [said & 255, (said >> 8) & 255, random.oneIn(10) ? 255 : 0, 0];
  const fits = lengths.reduce(
    (product, n) => product * Number(n),
    Number(/\d+/.exec(dtype)?.[0] ?? 1),
  );
  const bytes = fits >= 0 && fits < 4096 && !random.oneIn(5) ? fits : random.below(64);
  const data = Array.from({ length: Math.floor(bytes) }, () => random.below(256));
  return Uint8Array.from([
    0x93,
    ...Buffer.from('NUMPY'),
    version,
    random.oneIn(20) ? 1 : 0,
    ...size,
    ...text,
    ...data,
  ]);
}
