import { parseYaml } from './node-vendor.js';

/** Characters of front matter that are read. */
const MOST = 16_384;
/** Of a value that is kept. */
const MOST_LEVELS = 4;
const MOST_VALUES = 256;
const BLOCK = /^---[ \t]*\r?\n([\s\S]*?)^---[ \t]*(?:\r?\n|$)/m;

/** A text without its front matter. */
export interface FrontMatter {
  readonly fields: Readonly<Record<string, unknown>>;
  /** The text, with empty lines where the front matter was: lines stay what they are. */
  readonly text: string;
}

/**
 * YAML between lines of `---` at the beginning of a text. What is not a mapping, or is too much of
 * one for metadata, stays in the text.
 */
export function splitFrontMatter(text: string): FrontMatter {
  const plain = { fields: {}, text };
  if (!text.startsWith('---')) return plain;
  const found = BLOCK.exec(text.slice(0, MOST));
  if (found?.index !== 0) return plain;
  let value: unknown;
  try {
    value = parseYaml(found[1]);
  } catch {
    return plain;
  }
  const budget = { values: MOST_VALUES };
  if (!isMapping(value) || !isKept(value, MOST_LEVELS, budget)) return plain;
  const [block] = found;
  return { fields: value, text: block.replace(/[^\n]+/g, '') + text.slice(block.length) };
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isPlain(value: object): boolean {
  return Array.isArray(value) || [Object.prototype, null].includes(Object.getPrototypeOf(value));
}

/** Whether a value is JSON, of few values and levels. */
function isKept(value: unknown, levels: number, budget: { values: number }): boolean {
  if (--budget.values < 0 || levels < 0) return false;
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true;
  if (typeof value === 'number') return Number.isFinite(value);
  // what `!!binary` and the like make is no JSON
  if (typeof value !== 'object' || !isPlain(value)) return false;
  return Object.values(value).every((item) => isKept(item, levels - 1, budget));
}
