export { type Advice, type AdviseOptions, advise } from '../advise/advise.js';
export type { AdviceMethod, ComparedSearch, Judgements } from '../advise/compared.js';
export type { Conclusion } from '../advise/conclude.js';
export type { Latency } from '../advise/latency.js';
export { plotAdvice } from '../advise/plot-advice.js';
