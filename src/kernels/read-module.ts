import { LemurError } from '../errors.js';
import { platform } from '../platform.js';
import { hasWebAssembly } from './memory.js';
import { compileFor, compileKernels, knowsKernels, simdKernels } from './simd.js';
import { FINGERPRINT } from './wasm-binary.js';

/** The kernels compiled for a shared memory, or for one that is not. */
export type ModuleFor = (shared: boolean) => Promise<WebAssembly.Module>;

/** The kernels from whatever `init` takes; URLs as text. */
export async function readModule(wasm: unknown): Promise<ModuleFor> {
  if (!hasWebAssembly())
    throw unsupported('there is no WebAssembly here: the plain kernels compute, and take nothing');
  if (typeof wasm === 'string')
    return takeBytes(await platform().readBytes(wasm), wasm.slice(0, 200));
  const kind = Object.prototype.toString.call(wasm).slice(8, -1);
  if (ArrayBuffer.isView(wasm) || kind === 'ArrayBuffer' || kind === 'SharedArrayBuffer')
    return takeBytes(bytesOf(wasm as ArrayBuffer), 'wasm');
  if (kind !== 'WebAssembly.Module')
    throw invalid(
      `wasm: got ${describe(wasm, kind)}, expected a WebAssembly.Module, its bytes, or a URL`,
    );
  const module = wasm as WebAssembly.Module;
  const { sharedMemory } = platform();
  checkModule(module, sharedMemory, 'wasm');
  return (shared) => (shared === sharedMemory ? Promise.resolve(module) : compileKernels(shared));
}

/** None where the buffer was transferred away. */
function bytesOf(wasm: ArrayBuffer | ArrayBufferView): Uint8Array {
  if (wasm.byteLength === 0) return new Uint8Array(0);
  return ArrayBuffer.isView(wasm)
    ? new Uint8Array(wasm.buffer, wasm.byteOffset, wasm.byteLength)
    : new Uint8Array(wasm);
}

/** Bytes can be made to fit either memory. */
async function takeBytes(bytes: Uint8Array, where: string): Promise<ModuleFor> {
  if (![0, 0x61, 0x73, 0x6d].every((byte, i) => bytes[i] === byte)) {
    throw bad(
      where,
      `got ${bytes.length} bytes that begin with ${JSON.stringify(beginning(bytes))}, ` +
        'expected a WebAssembly binary',
    );
  }
  const binary = bytes.slice();
  const moduleFor: ModuleFor = (shared) => compileFor(shared, binary);
  const { sharedMemory } = platform();
  let module: WebAssembly.Module;
  try {
    module = await moduleFor(sharedMemory);
  } catch (cause) {
    const reason = (cause as Error).message;
    if (!(await knowsKernels()))
      throw unsupported(`this engine has no WebAssembly SIMD (${reason})`, cause);
    if (WebAssembly.validate(binary)) {
      throw unsupported(
        `compiling WebAssembly is forbidden here, expected a WebAssembly.Module (${reason})`,
        cause,
      );
    }
    throw bad(
      where,
      `got ${bytes.length} bytes that are no valid WebAssembly binary, ` +
        `expected lemur/kernels.wasm (${reason})`,
      cause,
    );
  }
  checkModule(module, sharedMemory, where);
  return (shared) => (shared === sharedMemory ? Promise.resolve(module) : moduleFor(shared));
}

/** Whether a module is the kernels of this build, and for the memory that the device will use. */
function checkModule(module: WebAssembly.Module, shared: boolean, where: string): void {
  const [section] = WebAssembly.Module.customSections(module, 'lemur');
  if (!section) {
    const imports = WebAssembly.Module.imports(module).map((one) => `${one.module}.${one.name}`);
    const names = WebAssembly.Module.exports(module).map(({ name }) => name);
    throw bad(
      where,
      `got a module that imports ${list(imports)} and exports ${list(names)}, ` +
        'expected lemur/kernels.wasm',
    );
  }
  const fingerprint = String.fromCharCode(...new Uint8Array(section));
  if (fingerprint !== FINGERPRINT) {
    throw bad(
      where,
      `got the kernels of another version (${fingerprint}), expected lemur/kernels.wasm of ` +
        `this one (${FINGERPRINT})`,
    );
  }
  if (fits(module, shared)) return;
  const [got, expected] = shared ? ['kernels', 'kernels-shared'] : ['kernels-shared', 'kernels'];
  throw unsupported(
    `got lemur/${got}.wasm, expected lemur/${expected}.wasm where memory is ` +
      `${shared ? '' : 'not '}shared, or the bytes of either`,
  );
}

function fits(module: WebAssembly.Module, shared: boolean): boolean {
  try {
    simdKernels(module, new WebAssembly.Memory({ initial: 1, maximum: 1, shared }));
    return true;
  } catch {
    return false;
  }
}

function describe(value: unknown, kind: string): string {
  if (value === undefined || value === null) return String(value);
  return typeof value === 'object' ? `an object (${kind})` : typeof value;
}

function beginning(bytes: Uint8Array): string {
  return Array.from(bytes.subarray(0, 24), (byte) =>
    byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '.',
  ).join('');
}

function list(names: readonly string[]): string {
  if (names.length === 0) return 'nothing';
  return names.length > 6
    ? `${names.slice(0, 6).join(', ')} and ${names.length - 6} more`
    : names.join(', ');
}

export function invalid(message: string): LemurError {
  return new LemurError('invalid-argument', `init: ${message}`, { where: 'init' });
}

function bad(where: string, message: string, cause?: unknown): LemurError {
  return new LemurError('bad-file', `init: ${where}: ${message}`, { where }, { cause });
}

function unsupported(message: string, cause?: unknown): LemurError {
  return new LemurError('unsupported', `init: ${message}`, { where: 'init' }, { cause });
}
