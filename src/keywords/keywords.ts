// What a page loads when it first adds a text or searches by keywords.
export { PostingsBuilder } from './build-postings.js';
export { fusedScores } from './fuse.js';
export { missingKeywords } from './missing-keywords.js';
export { openPostings } from './postings-reader.js';
export { scoreKeywords } from './score-keywords.js';
export { wordMatches } from './word-matches.js';
