import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';

/** Where Debian's Chromium has SwiftShader, a GPU that is a program. */
const FOLDER = '/usr/lib/chromium';

export const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** Whether WebGPU can be tried here without a card. */
export const hasSoftwareGpu =
  existsSync(`${FOLDER}/vk_swiftshader_icd.json`) && existsSync(CHROMIUM);

/** For a process whose WebGPU is to be SwiftShader's. */
export const SOFTWARE_GPU = {
  ...process.env,
  VK_ICD_FILENAMES: `${FOLDER}/vk_swiftshader_icd.json`,
  LD_LIBRARY_PATH: FOLDER,
  XDG_RUNTIME_DIR: tmpdir(),
};
