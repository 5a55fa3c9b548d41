/** Where Chromium is. */
export const CHROMIUM: string;
/** Whether WebGPU can be tried here without a card. */
export const hasSoftwareGpu: boolean;
/** For a process whose WebGPU is to be SwiftShader's. */
export const SOFTWARE_GPU: NodeJS.ProcessEnv;
