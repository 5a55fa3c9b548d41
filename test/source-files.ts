import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ESTree, parseSync, Visitor } from 'rolldown/utils';

/** A function of a file, whatever its form. */
export interface SourceFunction {
  /** Its own name, or that of what it is given to; `(anonymous)` without either. */
  name: string;
  /** Where it begins, from 1. */
  line: number;
  /** How many lines it takes, those of functions within it included. */
  lines: number;
}

/** A TypeScript or JavaScript file as it is written. */
export interface SourceFile {
  /** Below the folder it was looked for in, with `/`. */
  path: string;
  text: string;
  lines: string[];
}

/** Files below a folder whose names end in one of `endings`, sorted by their paths. */
export function sourceFiles(folder: string, endings: readonly string[]): SourceFile[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => endings.some((ending) => path.endsWith(ending)))
    .sort()
    .map((path) => {
      const text = readFileSync(join(folder, path), 'utf8');
      return { path, text, lines: text.replace(/\n$/, '').split('\n') };
    });
}

/**
 * Specifiers of all imports and re-exports that are string literals, in their order: those of
 * types and `import()` included, those in strings and comments not.
 */
export function importsOf({ path, text }: SourceFile): string[] {
  const found: string[] = [];
  const take = (source: ESTree.Expression | null): void => {
    if (source?.type === 'Literal' && typeof source.value === 'string') found.push(source.value);
  };
  new Visitor({
    ImportDeclaration: ({ source }) => take(source),
    ExportNamedDeclaration: ({ source }) => take(source),
    ExportAllDeclaration: ({ source }) => take(source),
    ImportExpression: ({ source }) => take(source),
    TSImportType: ({ source }) => take(source),
  }).visit(parseSync(path, text).program);
  return found;
}

/** All string literals of a file and the fixed parts of its templates, imports included. */
export function stringsOf({ path, text }: SourceFile): string[] {
  const found: string[] = [];
  new Visitor({
    Literal: ({ value }) => {
      if (typeof value === 'string') found.push(value);
    },
    TemplateElement: ({ value }) => {
      found.push(value.raw);
    },
  }).visit(parseSync(path, text).program);
  return found;
}

/** All functions of a file: declarations, methods, accessors and arrows. */
export function functionsOf({ path, text }: SourceFile): SourceFunction[] {
  const found: SourceFunction[] = [];
  const names = new Map<ESTree.Node, string>();
  const textOf = ({ start, end }: ESTree.Node): string => text.slice(start, end);
  const give = (name: ESTree.Node, value: ESTree.Node | null): void => {
    if (value) names.set(value, textOf(name));
  };
  const lineOf = (offset: number): number => text.slice(0, offset).split('\n').length;
  const take = (node: ESTree.Function | ESTree.ArrowFunctionExpression): void => {
    const own = 'id' in node && node.id ? node.id.name : undefined;
    const line = lineOf(node.start);
    const lines = lineOf(node.end) - line + 1;
    found.push({ name: own ?? names.get(node) ?? '(anonymous)', line, lines });
  };
  new Visitor({
    VariableDeclarator: ({ id, init }) => give(id, init),
    AssignmentExpression: ({ left, right }) => give(left, right),
    Property: ({ key, value }) => give(key, value),
    MethodDefinition: ({ key, value }) => give(key, value),
    PropertyDefinition: ({ key, value }) => give(key, value),
    FunctionDeclaration: take,
    FunctionExpression: take,
    ArrowFunctionExpression: take,
  }).visit(parseSync(path, text).program);
  return found;
}

/**
 * Numbers of lines above `columns`, but for those that cannot be broken: titles of tests, regular
 * expressions, rows of tables in comments, and what a template holds that goes over several lines.
 */
export function wideLines(file: SourceFile, columns: number): number[] {
  const wide = file.lines.flatMap((line, i) =>
    line.length > columns && !/^\s*\* \|/.test(line) ? [i + 1] : [],
  );
  if (wide.length === 0) return wide;
  const whole = new Set<number>();
  const lineOf = (offset: number): number => file.text.slice(0, offset).split('\n').length;
  const take = ({ start, end }: ESTree.Node): void => {
    for (let line = lineOf(start); line <= lineOf(end); line++) whole.add(line);
  };
  // decorators before functions are AssemblyScript's own
  const text = file.text.replace(/^@\w+$/gm, (decorator) => ' '.repeat(decorator.length));
  new Visitor({
    Literal(node) {
      if ('regex' in node) take(node);
    },
    TemplateLiteral(node) {
      if (lineOf(node.start) < lineOf(node.end)) take(node);
    },
    CallExpression(node) {
      const [title] = node.arguments;
      const callee = file.text.slice(node.callee.start, node.callee.end);
      if (/^(test|it|describe)\b/.test(callee) && title?.type === 'Literal') take(title);
    },
  }).visit(parseSync(file.path, text).program);
  return wide.filter((line) => !whole.has(line));
}
