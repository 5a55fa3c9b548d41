import type { Index } from '../../collection/index.js';
import type { Filter } from '../../collection/metadata/filter.js';
import type { Metadata } from '../../collection/metadata/metadata.js';
import { checkGroupBy } from '../../collection/options/check-options.js';
import type { SearchMode } from '../../collection/options/options.js';
import { invalidArgument } from '../../errors.js';
import { checkOptions, type OptionNames } from '../../known-options.js';
import { describeKind } from '../../value-kind.js';
import {
  checkAsked,
  describeFound,
  type FoundText,
  SEARCH_ARGUMENTS,
  SEARCHES,
  searchForModel,
} from '../search-for-model.js';

/** What a tool searches, and how. */
export interface SearchToolOptions<M extends Metadata = Metadata> {
  /**
   * What the documents are, and what their metadata has, for the language model: 'Papers on
   * nutrition. Metadata: year (a number), journal.' It stands before what the tool says of itself.
   */
  about?: string | undefined;
  /** Results where the model asks for no number, from 1 to 20. Default 5. */
  k?: number | undefined;
  /** What documents are ranked by. Default: 'hybrid' where the collection has keywords. */
  mode?: SearchMode | undefined;
  /** Only documents whose metadata passes; the model may narrow this, and not widen it. */
  filter?: Filter<M> | undefined;
  /** `source`: one result for each document that passages are of, its best. */
  groupBy?: 'source' | undefined;
}

const SEARCH_TOOL_OPTIONS: OptionNames<SearchToolOptions> = {
  about: true,
  k: true,
  mode: true,
  filter: true,
  groupBy: true,
};

/** What a language model asks the tool. */
export interface SearchToolInput {
  /** What to look for. */
  query: string;
  /** From 1 to 20. */
  k?: number | null | undefined;
  /** Of the metadata. */
  filter?: Filter | null | undefined;
}

/** Types of the arguments before and after a check. */
export interface SearchToolTypes {
  /** Before. */
  readonly input: SearchToolInput;
  /** The same. */
  readonly output: SearchToolInput;
}

/** What a check found: `value` where all is well. */
export type CheckedInput =
  | {
      /** The arguments as they came. */
      readonly value: SearchToolInput;
    }
  | {
      /** What is wrong about them. */
      readonly issues: readonly {
        /** In a sentence. */
        readonly message: string;
      }[];
    };

/** What a language model reads of a result. */
export interface ModelText {
  /** That it is one. */
  type: 'text';
  /** Short, with ids. */
  value: string;
}

/** The arguments as JSON Schema with a check, by the interface "Standard Schema". */
export interface SearchToolSchema {
  /** What that interface asks for. */
  readonly '~standard': {
    /** Of the interface. */
    readonly version: 1;
    /** Who made it. */
    readonly vendor: 'lemur';
    /** For the compiler alone. */
    readonly types?: SearchToolTypes;
    /** The arguments, or what is wrong about them. */
    readonly validate: (value: unknown) => CheckedInput;
    /** What language models are told. */
    readonly jsonSchema: {
      /** Of the arguments. */
      readonly input: (options: { readonly target: string }) => Record<string, unknown>;
      /** The same. */
      readonly output: (options: { readonly target: string }) => Record<string, unknown>;
    };
  };
}

/** A tool for `generateText`, `streamText` and agents of the AI SDK, of its versions 6 and 7. */
export interface SearchTool {
  /** For the language model. */
  readonly description: string;
  /** What it may say. */
  readonly inputSchema: SearchToolSchema;
  /** Searches. Rejects as `Index.search` does; the language model is told of it then. */
  execute(
    input: SearchToolInput,
    options?: { abortSignal?: AbortSignal | undefined },
  ): Promise<FoundText[]>;
  /** What was found as a short text, which is what the language model reads. */
  toModelOutput(result: { output: FoundText[] }): ModelText;
}

/**
 * A tool of the AI SDK (the package `ai`, 6 or 7) by which a language model searches a collection.
 * Raises 'invalid-argument'.
 *
 * @example
 * const search = searchTool(index, { about: 'Papers on nutrition.' });
 * const stopWhen = stepCountIs(5);
 * const { text } = await generateText({ model, prompt, stopWhen, tools: { search } });
 */
export function searchTool<M extends Metadata>(
  index: Index<M>,
  options: SearchToolOptions<M> = {},
): SearchTool {
  checkOptions(options, SEARCH_TOOL_OPTIONS, 'searchTool');
  const { about, k, mode, filter, groupBy } = options;
  if (typeof Object(index).search !== 'function')
    throw invalidArgument('index', `expected an Index, got ${describeKind(index)}`);
  if (about !== undefined && typeof about !== 'string')
    throw invalidArgument('about', `expected a string, got ${describeKind(about)}`);
  checkAsked({ query: 'q', k });
  checkGroupBy(groupBy);
  const always = filter as Filter | undefined;
  return {
    description: `${about ? `${about} ` : ''}${SEARCHES} Each result begins with its id: name it.`,
    inputSchema: INPUT_SCHEMA,
    execute: (input, { abortSignal: signal } = {}) =>
      searchForModel(index as unknown as Index, input.query, {
        k: input.k ?? k,
        mode,
        groupBy,
        filter:
          always && input.filter ? { $and: [always, input.filter] } : (input.filter ?? always),
        signal,
      }),
    toModelOutput: ({ output }) => ({ type: 'text', value: describeFound(output) }),
  };
}

/** Made anew at each call: those that ask for it change it. */
function jsonSchema(): Record<string, unknown> {
  const properties: Record<string, object> = structuredClone(SEARCH_ARGUMENTS);
  return { type: 'object', properties, required: ['query'], additionalProperties: false };
}

const INPUT_SCHEMA: SearchToolSchema = {
  '~standard': {
    version: 1,
    vendor: 'lemur',
    jsonSchema: { input: jsonSchema, output: jsonSchema },
    validate: (value) => {
      try {
        checkOptions(value, { query: true, k: true, filter: true }, 'search');
        checkAsked(value as SearchToolInput);
        return { value: value as SearchToolInput };
      } catch (error) {
        return { issues: [{ message: (error as Error).message }] };
      }
    },
  },
};
