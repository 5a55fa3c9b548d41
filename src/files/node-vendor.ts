/*!
 * This file bundles libraries with what they need:
 *   ignore (MIT): Copyright (c) 2013 Kael Zhang <i@kael.me>, contributors, http://kael.me/
 *   htmlparser2 (MIT): Copyright 2010, 2011, Chris Winberry <chris@winberry.net>
 *   entities, domhandler, domutils, domelementtype (BSD-2-Clause): Copyright (c) Felix Böhm
 *   yaml (ISC): Copyright Eemeli Aro <eemeli@gmail.com>
 *
 * MIT: Permission is hereby granted, free of charge, to any person obtaining a copy of this
 * software and associated documentation files (the "Software"), to deal in the Software without
 * restriction, including without limitation the rights to use, copy, modify, merge, publish,
 * distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the
 * Software is furnished to do so, subject to the following conditions: The above copyright notice
 * and this permission notice shall be included in all copies or substantial portions of the
 * Software.
 *
 * BSD-2-Clause: Redistribution and use in source and binary forms, with or without modification,
 * are permitted provided that the following conditions are met: Redistributions of source code
 * must retain the above copyright notice, this list of conditions and the following disclaimer.
 * Redistributions in binary form must reproduce the above copyright notice, this list of
 * conditions and the following disclaimer in the documentation and/or other materials provided
 * with the distribution.
 *
 * ISC: Permission to use, copy, modify, and/or distribute this software for any purpose with or
 * without fee is hereby granted, provided that the above copyright notice and this permission
 * notice appear in all copies.
 *
 * THE SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS", WITHOUT WARRANTY OF
 * ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
 * FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT
 * HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT,
 * TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER
 * DEALINGS IN THE SOFTWARE.
 */
import { Tokenizer } from 'htmlparser2';
import ignore from 'ignore';
import { Lexer, parseDocument } from 'yaml';

/** What patterns say of a path, which ends with `/` where it is a folder's. */
export type IgnoreTest = (path: string) => { ignored: boolean; unignored: boolean };

/** As git has it where nothing else is configured. */
const IGNORES_CASE = ['win32', 'darwin'].includes(process.platform);

/**
 * Patterns as of `.gitignore`, in lines. They are asked for a path itself, whatever they say of the
 * folders above it: so patterns may be asked in parts, the last ones first.
 */
export function ignoreTest(patterns: string): IgnoreTest {
  const all = ignore({ allowRelativePaths: true, ignorecase: IGNORES_CASE }).add(patterns);
  // what its own `test` asks after the folders above
  const { _rules: rules } = all as unknown as {
    _rules: { test(path: string, mode: 'regex'): ReturnType<IgnoreTest> };
  };
  return (path) => rules.test(path, 'regex');
}

/** Parts of a YAML document: names, values and the marks around them, not its comments. */
const MOST_PARTS = 2048;
const PART = /^[^\s#\p{Cc}]/u;

/**
 * A YAML document as plain values; undefined where it is none, uses names for parts of it, or has
 * more than 2,048 parts.
 */
export function parseYaml(text: string): unknown {
  // more than are kept take long to compose
  let parts = 0;
  for (const part of new Lexer().lex(text)) if (PART.test(part) && ++parts > MOST_PARTS) return;
  const document = parseDocument(text, { schema: 'core', logLevel: 'silent' });
  return document.errors.length > 0 ? undefined : document.toJS({ maxAliasCount: 0 });
}

/** What is told of a page while it is read. */
export interface HtmlEvents {
  onopentag(name: string): void;
  onclosetag(name: string): void;
  /** Part of a text, its entities decoded. */
  ontext(text: string): void;
}

/** As of a `stepPacer`: gives the thread away after so many steps. */
export type Step = (steps: number) => Promise<void> | undefined;

/** Characters of a page that are read in one go, and those that count as a step, as a tag does. */
const PIECE = 1 << 12;
const CHARACTERS_A_STEP = 16;

/** Reads HTML, however it is written: tags as they come, whatever is open; a text in pieces. */
export async function readHtml(
  html: string,
  { onopentag, onclosetag, ontext }: HtmlEvents,
  step: Step,
): Promise<void> {
  const part = (start: number, end: number): string => html.slice(start, end);
  const ignored = (): void => {};
  const told = (tell: () => void): void => {
    events++;
    tell();
  };
  let opened = '';
  let events = 0;
  // its parser takes time by the square of how deep tags are
  const tokenizer = new Tokenizer(
    { decodeEntities: true },
    {
      onopentagname: (start, end) => {
        opened = part(start, end).toLowerCase();
        told(() => onopentag(opened));
      },
      onselfclosingtag: () => told(() => onclosetag(opened)),
      onclosetag: (start, end) => told(() => onclosetag(part(start, end).toLowerCase())),
      ontext: (start, end) => told(() => ontext(part(start, end))),
      ontextentity: (code) => told(() => ontext(String.fromCodePoint(code))),
      ...{ onattribdata: ignored, onattribentity: ignored, onattribend: ignored },
      ...{ onattribname: ignored, oncdata: ignored, oncomment: ignored, onend: ignored },
      ...{ ondeclaration: ignored, onopentagend: ignored, onprocessinginstruction: ignored },
    },
  );
  for (let at = 0; at < html.length; at += PIECE) {
    tokenizer.write(html.slice(at, at + PIECE));
    const wait = step(PIECE / CHARACTERS_A_STEP + events);
    events = 0;
    if (wait) await wait;
  }
  tokenizer.end();
}
