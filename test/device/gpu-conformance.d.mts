export interface ConformanceLine {
  place: string;
  name: string;
  error: number;
  tolerance: number;
  ms: number;
}
/** Lines of a GPU, what `navigator.gpu` is. */
export function conformance(gpu: unknown, places?: string[]): Promise<ConformanceLine[]>;
