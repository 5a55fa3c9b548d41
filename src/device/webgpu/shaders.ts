import { unpackText } from '../../bytes/packed.js';
import { LEVELS } from '../../tokens/level-rows.js';
import { ROTATION_ROUNDS } from '../../tokens/rotation.js';
import { SOURCES } from './wgsl-sources.js';

/** A compute shader: sources end to end, where it begins, and what its constants are. */
interface ShaderParts {
  /** Files of wgsl/. */
  readonly files: readonly string[];
  readonly entry?: string;
  readonly constants?: Readonly<Record<string, number>>;
  /** Source of its own, before the files. */
  readonly head?: string;
}

const one = (file: string): ShaderParts => ({ files: [file] });
/** For a few rows on the left: tiles of 8 x 128. */
const FLAT = { TX: 32, TY: 2 };

const levels = (bits: 2 | 4): ShaderParts => ({
  files: ['bytes-of-rows', 'rows-levels', 'float-products', 'max-dots'],
  constants: { BITS: bits, MEAN_AT: ROTATION_ROUNDS },
  head: `const LEVELS = array<i32, ${LEVELS[bits].length}>(${LEVELS[bits].join(',')});`,
});
const select = (entry: string): ShaderParts => ({ files: ['select'], entry });

/** What can be dispatched. */
export type ShaderName =
  | 'product'
  | 'flatProduct'
  | 'codeProduct'
  | 'flatCodeProduct'
  | 'maxDotsFloat32'
  | 'maxDotsInt8'
  | 'maxDotsInt8Packed'
  | 'maxDotsInt4'
  | 'maxDotsInt2'
  | 'sumLanes'
  | 'layer'
  | 'layerBack'
  | 'unitRows'
  | 'laneCodes'
  | 'sumTokens'
  | 'copyBytes'
  | 'histogram'
  | 'pick'
  | 'count'
  | 'place'
  | 'scatter'
  | 'stretch'
  | 'rescore'
  | 'centreRows'
  | 'largestOfRows'
  | 'quantise'
  | 'moments'
  | 'standardise'
  | 'gatherRows'
  | 'squaredError'
  | 'sumPartials'
  | 'sumColumns'
  | 'adam';

const SHADERS: Readonly<Record<ShaderName, ShaderParts>> = {
  product: { files: ['right-float32', 'product'] },
  flatProduct: { files: ['right-float32', 'product'], constants: FLAT },
  codeProduct: { files: ['right-codes', 'product'] },
  flatCodeProduct: { files: ['right-codes', 'product'], constants: FLAT },
  maxDotsFloat32: { files: ['rows-float32', 'float-products', 'max-dots'] },
  maxDotsInt8: { files: ['dot4', 'bytes-of-rows', 'int8-products', 'max-dots'] },
  maxDotsInt8Packed: { files: ['dot4-packed', 'bytes-of-rows', 'int8-products', 'max-dots'] },
  maxDotsInt4: levels(4),
  maxDotsInt2: levels(2),
  sumLanes: one('sum-lanes'),
  layer: { files: ['activation', 'sum-of-group', 'layer'] },
  layerBack: { files: ['activation', 'sum-of-group', 'layer-back'] },
  unitRows: one('unit-rows'),
  laneCodes: { files: ['largest-of-group', 'sum-of-group', 'lane-codes'] },
  sumTokens: one('sum-tokens'),
  copyBytes: one('copy-bytes'),
  histogram: select('histogram'),
  pick: select('pick'),
  count: select('count'),
  place: select('place'),
  scatter: select('scatter'),
  stretch: one('stretch'),
  rescore: { files: ['sum-of-group', 'rescore'] },
  centreRows: one('centre-rows'),
  largestOfRows: { files: ['largest-of-group', 'largest-of-rows'] },
  quantise: one('quantise'),
  moments: { files: ['sum-of-group', 'moments'] },
  standardise: one('standardise'),
  gatherRows: one('gather-rows'),
  squaredError: { files: ['sum-of-group', 'squared-error'] },
  sumPartials: { files: ['sum-of-group', 'sum-partials'] },
  sumColumns: one('sum-columns'),
  adam: one('adam'),
};

/** A shader that can be dispatched. */
export interface Pipeline {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
  /** Buffers that it takes besides its numbers, and whether it writes each. */
  readonly writes: readonly boolean[];
}

/** Files of wgsl/ by their names, unpacked once. */
let sources: Promise<Record<string, string>> | undefined;

const BINDING = /@binding\((\d+)\) var<storage, (read|read_write)>/g;

/** Compiles, which takes its time, beside the caller's thread. */
export async function makePipeline(device: GPUDevice, name: ShaderName): Promise<Pipeline> {
  const { files, entry = 'main', constants = {}, head = '' }: ShaderParts = SHADERS[name];
  sources ??= unpackText(SOURCES).then((text) => JSON.parse(text));
  const texts = await sources;
  const code = [head, ...files.map((file) => texts[file])].join('\n');
  const writes = Array.from(code.matchAll(BINDING), ([, , access]) => access === 'read_write');
  const types: GPUBufferBindingType[] = [
    'uniform',
    ...writes.map((written) => (written ? 'storage' : 'read-only-storage') as 'storage'),
  ];
  const layout = device.createBindGroupLayout({
    label: name,
    entries: types.map((type, binding) => ({ binding, visibility: 4, buffer: { type } })),
  });
  const pipeline = await device.createComputePipelineAsync({
    label: name,
    layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
    compute: {
      module: device.createShaderModule({ label: name, code }),
      entryPoint: entry,
      constants,
    },
  });
  return { pipeline, layout, writes };
}
