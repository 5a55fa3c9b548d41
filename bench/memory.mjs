// Memory of this process, in bytes.
import { readFileSync, writeFileSync } from 'node:fs';

/** Resident now. */
export function residentMemory() {
  return process.memoryUsage.rss();
}

/**
 * The most that was resident since `resetPeak`; since the process began where the system does not
 * count that.
 */
export function peakMemory() {
  try {
    return 1024 * Number(/VmHWM:\s*(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
  } catch {
    return 1024 * process.resourceUsage().maxRSS;
  }
}

export function resetPeak() {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // other systems count from the beginning
  }
}
