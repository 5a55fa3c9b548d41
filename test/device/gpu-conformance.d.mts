export interface ConformanceLine {
  place: string;
  name: string;
  error: number;
  tolerance: number;
  ms: number;
  /** Of a processor's device: whether it is as one thread's with SIMD to the byte. */
  asSimd?: boolean;
}
/** Lines of a GPU, what `navigator.gpu` is. */
export function conformance(gpu: unknown, places?: string[]): Promise<ConformanceLine[]>;
