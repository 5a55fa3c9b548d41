import type { EncoderPlatform } from './platform.js';

/** A platform that reads a file once, however often its hash is asked for. */
export function hashedOnce(platform: EncoderPlatform): EncoderPlatform {
  const known = new Map<unknown, Promise<string>>();
  return {
    ...platform,
    sha256OfFile(file) {
      const hash = known.get(file.place) ?? platform.sha256OfFile(file);
      known.set(file.place, hash);
      return hash;
    },
  };
}
