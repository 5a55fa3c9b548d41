// Compares token ids with those of Rust's tokenizers: for every code point between letters, behind
// a space and alone, and for random texts. Prints the code points that differ, in ranges. Also
// checks that spans lie in the text, ascend and cut no character in two.
//   node scripts/compare-tokens.mjs FOLDER... [--python PYTHON] [--random 4000] [--from 0]
//     [--to 10ffff]
// FOLDER holds a tokenizer.json; PYTHON (default python3) has the package tokenizers: pip install
// tokenizers
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadTokenizer } from '../dist/encoder/text/tokenizer.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    python: { type: 'string', default: 'python3' },
    random: { type: 'string', default: '4000' },
    from: { type: 'string', default: '0' },
    to: { type: 'string', default: '10ffff' },
  },
});
const BLOCK = 32;
const contexts = [(c) => `a${c}b`, (c) => `a ${c} b`, (c) => c];

for (const folder of positionals) await compare(folder);

async function compare(folder) {
  const file = join(folder, 'tokenizer.json');
  const settings = join(folder, 'tokenizer_config.json');
  const json = JSON.parse(readFileSync(file, 'utf8'));
  const config = existsSync(settings) ? JSON.parse(readFileSync(settings, 'utf8')) : {};
  const tokenizer = await loadTokenizer(json, config, Number.POSITIVE_INFINITY, file);
  const reference = startReference(file);
  const counts = { texts: 0, differ: 0, spans: 0, withoutSpans: 0 };
  const differs = async (text) => {
    const { ids, spans } = tokenizer.tokenize(text, Number.POSITIVE_INFINITY);
    counts.texts++;
    if (!spans) counts.withoutSpans++;
    else if (!areSpans(text, spans)) {
      counts.spans++;
      console.log(`  spans of ${JSON.stringify(text)}: ${spans}`);
    }
    const expected = await reference.ids(text);
    return ids.length !== expected.length || expected.some((id, i) => id !== ids[i]);
  };

  const wrong = [];
  const [from, to] = [values.from, values.to].map((hex) => Number.parseInt(hex, 16));
  const blocks = [];
  for (let first = from; first <= to; first += BLOCK) {
    const block = [];
    for (let code = first; code < first + BLOCK && code <= to; code++)
      if (code < 0xd800 || code > 0xdfff) block.push(String.fromCodePoint(code));
    blocks.push(block);
  }
  for (const [i, context] of contexts.entries()) {
    // many under way at once: the other process answers in order
    for (let at = 0; at < blocks.length; at += 64) {
      const part = blocks.slice(at, at + 64);
      const answers = await Promise.all(
        part.map((block) => (i === 2 ? true : differs(block.map(context).join(' ')))),
      );
      for (const [b, block] of part.entries()) {
        if (!answers[b] || (i === 2 && at > 0x30000 / BLOCK)) continue;
        const single = await Promise.all(block.map((c) => differs(context(c))));
        for (const [k, c] of block.entries()) if (single[k]) wrong.push([c.codePointAt(0), i]);
      }
    }
  }
  const random = Number(values.random);
  let randomDiffer = 0;
  for (let n = 0; n < random; n++) {
    const text = randomText(n + 1);
    if (await differs(text)) {
      randomDiffer++;
      if (randomDiffer <= 20) console.log(`  random text ${n}: ${JSON.stringify(text)}`);
    }
  }
  counts.differ = new Set(wrong.map(([code]) => code)).size;
  console.log(
    `${basename(folder)} (${json.model.type}): ${counts.texts} texts, ` +
      `${counts.differ} code points differ, ${randomDiffer} of ${random} random texts, ` +
      `${counts.withoutSpans} texts without spans, ${counts.spans} with wrong ones`,
  );
  for (const [i] of contexts.entries()) {
    const codes = wrong.filter(([, k]) => k === i).map(([code]) => code);
    if (codes.length > 0)
      console.log(
        `  ${['between letters', 'between spaces', 'alone'][i]}: ${ranges(codes).join(' ')}`,
      );
  }
  reference.end();
}

function startReference(file) {
  const script = fileURLToPath(new URL('./reference/token-ids.py', import.meta.url));
  const child = spawn(values.python, [script, file], { stdio: ['pipe', 'pipe', 'inherit'] });
  const waiting = [];
  createInterface({ input: child.stdout }).on('line', (line) => waiting.shift()(JSON.parse(line)));
  return {
    ids: (text) =>
      new Promise((resolve) => {
        waiting.push(resolve);
        // Python reads lines of ASCII
        const escaped = (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
        child.stdin.write(`${JSON.stringify(text).replace(/[\u007f-\uffff]/g, escaped)}\n`);
      }),
    end: () => child.stdin.end(),
  };
}

/** Whether places lie in the text, begin in ascending order and cut no character in two. */
function areSpans(text, spans) {
  let last = 0;
  for (let i = 0; i < spans.length; i += 2) {
    const [start, end] = [spans[i], spans[i + 1]];
    if (start < last || end < start || end > text.length || cuts(text, start) || cuts(text, end))
      return false;
    last = start;
  }
  return true;
}

function cuts(text, at) {
  return /[\ud800-\udbff]/.test(text[at - 1] ?? '') && /[\udc00-\udfff]/.test(text[at] ?? '');
}

/** Words, marks, scripts, controls and spaces, drawn by a number. */
function randomText(seed) {
  let state = seed * 2654435761;
  const draw = (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 4294967296) * below);
  };
  const alphabets = [
    () => 'abcdefghijklmnopqrstuvwxyz'[draw(26)],
    () => 'ABCXYZ'[draw(6)],
    () => '0123456789'[draw(10)],
    () => ' .,;:!?-_()[]{}<>/\\|@#$%^&*+=~`\'"'[draw(34)],
    () => ' \t\n\r\u00a0\u2003\u3000\u200b\u200d\u00ad\u0085\u061c\ufeff'[draw(13)],
    () => String.fromCodePoint(0x300 + draw(0x70)),
    () => String.fromCodePoint(0x370 + draw(0x90)),
    () => String.fromCodePoint(0x400 + draw(0x100)),
    () => String.fromCodePoint(0x590 + draw(0x170)),
    () => String.fromCodePoint(0x900 + draw(0x80)),
    () => String.fromCodePoint(0x4e00 + draw(0x5000)),
    () => String.fromCodePoint(0x3040 + draw(0xc0)),
    () => String.fromCodePoint(0xac00 + draw(0x2ba0)),
    () => String.fromCodePoint(0x1f300 + draw(0x300)),
    () => String.fromCodePoint(0x20000 + draw(0x1000)),
    () => String.fromCodePoint(0xa0 + draw(0x160)),
  ];
  let text = '';
  for (let words = 1 + draw(12); words > 0; words--) {
    const alphabet = alphabets[draw(3) === 0 ? draw(alphabets.length) : 0];
    for (let length = 1 + draw(8); length > 0; length--)
      text += draw(8) === 0 ? alphabets[draw(alphabets.length)]() : alphabet();
    if (draw(4) > 0) text += ' ';
  }
  return text;
}

function ranges(codes) {
  const out = [];
  for (let i = 0; i < codes.length; i++) {
    const first = codes[i];
    while (codes[i + 1] === codes[i] + 1) i++;
    out.push(first === codes[i] ? hex(first) : `${hex(first)}-${hex(codes[i])}`);
  }
  return out;
}

function hex(code) {
  return code.toString(16).toUpperCase().padStart(4, '0');
}
