// What changes a collection. Pages load it at the first call that does, so what opens and searches
// one imports nothing of these files but their types.
export { addAndFit } from './add.js';
export { compactAndRenew } from './compact.js';
export { deleteChosen } from './delete.js';
export { fitUnlessExact } from './fit.js';
export { mirror } from './mirror.js';
export { tuneCandidates } from './tune.js';
