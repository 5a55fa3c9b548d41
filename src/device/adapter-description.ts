/** An adapter, for people. */
export interface AdapterDescription {
  /** What it calls itself: vendor, architecture, device, description. */
  adapter: string;
  /** Computes on the processor, many times slower than the package's own kernels. */
  software: boolean;
  /** Bytes of a buffer that a shader sees. */
  maxStorageBufferBindingSize: number;
  maxBufferSize: number;
  maxComputeWorkgroupStorageSize: number;
  maxComputeInvocationsPerWorkgroup: number;
  /** What it has of what would serve here; none of it is needed. */
  features: string[];
}
