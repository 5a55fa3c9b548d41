/**
 * The part of ONNX's protobuf that a graph for inference needs (onnx.proto3, IR version 8), written
 * from scratch: a message is a list of byte chunks, so that weights are copied once, into the
 * finished file.
 */

/** Element types that a graph's tensors may have, with their numbers in TensorProto.DataType. */
export const elementTypes = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9 } as const;

export type ElementType = keyof typeof elementTypes;

/** A constant of the graph: its values are written as they lie in memory (little-endian). */
export interface OnnxTensor {
  name: string;
  dims: readonly number[];
  type: ElementType;
  data: ArrayBufferView;
}

/** Integers are written as INT(S), `{ float }` as FLOAT, strings as STRING. */
export type OnnxAttribute = number | readonly number[] | string | { float: number };

/**
 * One operator; an empty input name leaves an optional input out. The domain is '' for ONNX's own
 * operators.
 */
export interface OnnxNode {
  op: string;
  domain?: string | undefined;
  inputs: readonly string[];
  outputs: readonly string[];
  attributes?: Readonly<Record<string, OnnxAttribute>> | undefined;
}

/**
 * A graph's input or output; a name in place of a number is a dimension known only when it runs.
 */
export interface OnnxValue {
  name: string;
  type: ElementType;
  dims: readonly (number | string)[];
}

export interface OnnxGraph {
  name: string;
  nodes: readonly OnnxNode[];
  inputs: readonly OnnxValue[];
  outputs: readonly OnnxValue[];
  constants: readonly OnnxTensor[];
}

/** The file (ModelProto) of a graph; `opsets` has the version of each operator domain in use. */
export function writeOnnx(graph: OnnxGraph, opsets: Readonly<Record<string, number>>): Uint8Array {
  const model = message();
  integer(model, 1, 8); // ir_version
  text(model, 2, 'lemur'); // producer_name
  nested(model, 7, graphProto(graph));
  for (const [domain, version] of Object.entries(opsets)) {
    const opset = message();
    text(opset, 1, domain);
    integer(opset, 2, version);
    nested(model, 8, opset);
  }
  const file = new Uint8Array(model.length);
  let at = 0;
  for (const chunk of model.chunks) {
    file.set(chunk, at);
    at += chunk.length;
  }
  return file;
}

function graphProto(graph: OnnxGraph): Message {
  const out = message();
  for (const node of graph.nodes) nested(out, 1, nodeProto(node));
  text(out, 2, graph.name);
  for (const constant of graph.constants) nested(out, 5, tensorProto(constant));
  for (const input of graph.inputs) nested(out, 11, valueInfoProto(input));
  for (const output of graph.outputs) nested(out, 12, valueInfoProto(output));
  return out;
}

function nodeProto(node: OnnxNode): Message {
  const out = message();
  for (const input of node.inputs) text(out, 1, input);
  for (const output of node.outputs) text(out, 2, output);
  text(out, 3, node.outputs[0]); // name
  text(out, 4, node.op);
  for (const [name, value] of Object.entries(node.attributes ?? {}))
    nested(out, 5, attributeProto(name, value));
  if (node.domain) text(out, 7, node.domain);
  return out;
}

function attributeProto(name: string, value: OnnxAttribute): Message {
  const out = message();
  text(out, 1, name);
  if (typeof value === 'number') {
    integer(out, 3, value); // i
    integer(out, 20, 2); // type INT
  } else if (typeof value === 'string') {
    text(out, 4, value); // s
    integer(out, 20, 3); // type STRING
  } else if ('float' in value) {
    tag(out, 2, 5); // f, 4 bytes
    push(out, bytesOf(Float32Array.of(value.float)));
    integer(out, 20, 1); // type FLOAT
  } else {
    for (const item of value) integer(out, 8, item); // ints
    integer(out, 20, 7); // type INTS
  }
  return out;
}

function tensorProto(tensor: OnnxTensor): Message {
  const out = message();
  for (const dim of tensor.dims) integer(out, 1, dim);
  integer(out, 2, elementTypes[tensor.type]);
  text(out, 8, tensor.name);
  bytes(out, 9, bytesOf(tensor.data)); // raw_data
  return out;
}

function valueInfoProto(value: OnnxValue): Message {
  const shape = message();
  for (const size of value.dims) {
    const dim = message();
    if (typeof size === 'number') integer(dim, 1, size);
    else text(dim, 2, size); // dim_param
    nested(shape, 1, dim);
  }
  const tensorType = message();
  integer(tensorType, 1, elementTypes[value.type]);
  nested(tensorType, 2, shape);
  const type = message();
  nested(type, 1, tensorType);
  const out = message();
  text(out, 1, value.name);
  nested(out, 2, type);
  return out;
}

interface Message {
  chunks: Uint8Array[];
  length: number;
}

function message(): Message {
  return { chunks: [], length: 0 };
}

function push(out: Message, chunk: Uint8Array): void {
  out.chunks.push(chunk);
  out.length += chunk.length;
}

/**
 * Seven bits a byte, lowest first; the high bit says that more follow. Negative numbers take ten
 * bytes, as int64.
 */
function varint(out: Message, value: number): void {
  const encoded: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    const more = rest >> 7n;
    encoded.push(Number(rest & 127n) | (more === 0n ? 0 : 128));
    rest = more;
  } while (rest !== 0n);
  push(out, Uint8Array.from(encoded));
}

/** Wire types: 0 varint, 2 length and bytes, 5 four bytes. */
function tag(out: Message, field: number, wire: 0 | 2 | 5): void {
  varint(out, field * 8 + wire);
}

function integer(out: Message, field: number, value: number): void {
  tag(out, field, 0);
  varint(out, value);
}

function bytes(out: Message, field: number, value: Uint8Array): void {
  tag(out, field, 2);
  varint(out, value.length);
  push(out, value);
}

function text(out: Message, field: number, value: string): void {
  bytes(out, field, new TextEncoder().encode(value));
}

function nested(out: Message, field: number, value: Message): void {
  tag(out, field, 2);
  varint(out, value.length);
  for (const chunk of value.chunks) push(out, chunk);
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}
