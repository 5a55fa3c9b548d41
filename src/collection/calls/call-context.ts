import type { CallContext } from '../../platform.js';

let inside: object | undefined;

/**
 * Where the engine cannot follow what a call awaits: what runs inside of it until that first waits
 * for something.
 */
export const plainCallContext: CallContext = {
  run(call, use) {
    const before = inside;
    inside = call;
    try {
      return use();
    } finally {
      inside = before;
    }
  },
  current: () => inside,
  idle() {},
};
