import { expect, test } from 'vitest';
import { LemurError } from '../src/errors.js';
import { escapeControls, escapeLines } from '../src/escape-controls.js';
import { readSafetensors } from '../src/formats/safetensors/safetensors.js';
import { layOut } from '../src/formats/safetensors/safetensors-layout.js';

/** One of each kind, and what they are written as. */
const STEERING = [
  '\0',
  '\t',
  '\n',
  '\r',
  '\u001b',
  '\u007f',
  '\u0085',
  '\u009b',
  '\u009d',
  '\u061c',
  '\u200e',
  '\u200f',
  '\u2028',
  '\u2029',
]
  .concat(['\u202a', '\u202e', '\u2066', '\u2069', '\ufeff', '\ud800', '\udfff'])
  .map((char) => [char, `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`] as const);

test('what steers a terminal is escaped, everything else stays', () => {
  for (const [char, written] of STEERING) expect(escapeControls(`a${char}b`)).toBe(`a${written}b`);
  const plain = 'naïve 漢字 שלום العربية 👩‍👩‍👧 \\u001b "quoted" \u00a0\u00ad\u200d';
  expect(escapeControls(plain)).toBe(plain);
  expect(escapeControls('\u001b]52;c;aGk=\u0007')).toBe('\\u001b]52;c;aGk=\\u0007');
});

test('line feeds stay between lines, and JSON stays the same JSON', () => {
  for (const [char, written] of STEERING)
    expect(escapeLines(`a${char}b`)).toBe(char === '\n' ? 'a\nb' : `a${written}b`);
  const value = {
    [`k${STEERING.map(([char]) => char).join('')}`]: [STEERING.map(([char]) => char), { a: '\\' }],
  };
  const json = escapeLines(JSON.stringify(value, null, 2));
  expect(JSON.parse(json)).toEqual(value);
  expect(json).not.toMatch(/(?!\n)[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u);
});

test('messages are one line without control characters, in the stack too; fields have what was given', () => {
  const where = 'a\u001b]0;x\u0007\nb\u202e';
  const error = new LemurError('not-found', `${where}: no such file`, { where });
  expect(error.message).toBe('a\\u001b]0;x\\u0007\\u000ab\\u202e: no such file');
  expect(error.stack).not.toMatch(/(?!\n)\p{Cc}|\u202e/u);
  expect(error.fields.where).toBe(where);
  // sent on as a message and made anew
  expect(new LemurError('not-found', error.message, { where }).message).toBe(error.message);
});

test('names in a file cannot steer the terminal through an error', () => {
  const { start } = layOut({ 'x\u001b[2J\u009b1m': { type: 'F32', shape: [2] } }, {}, 'test');
  expect(() => readSafetensors(start, 'file\u202e')).toThrow(
    /^file\\u202e: .*x\\u001b\[2J\\u009b1m/,
  );
});
