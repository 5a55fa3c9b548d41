export { nextMacrotask, pacer } from '../pacer.js';
