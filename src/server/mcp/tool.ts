import type { ServedCollections } from '../served.js';

/** Arguments of a call, as they came. */
export type ToolArguments = Readonly<Record<string, unknown>>;

/** What an assistant may call. */
export interface Tool {
  readonly name: string;
  readonly title: string;
  /** What it does and when to use it: read by a language model. */
  readonly description: string;
  /** JSON Schema of the arguments. */
  readonly inputSchema: {
    readonly type: 'object';
    readonly properties: Readonly<Record<string, object>>;
    readonly required?: readonly string[];
    readonly additionalProperties: false;
  };
  readonly annotations: {
    readonly readOnlyHint: boolean;
    readonly idempotentHint: boolean;
    readonly destructiveHint?: boolean;
    readonly openWorldHint: boolean;
  };
  /** A text for the model. What it throws is told to the model, which may try again. */
  readonly call: (
    served: ServedCollections,
    given: ToolArguments,
    signal: AbortSignal,
  ) => Promise<string>;
}

/** Of tools that change nothing. */
export const READING: Tool['annotations'] = {
  readOnlyHint: true,
  idempotentHint: true,
  openWorldHint: false,
};
