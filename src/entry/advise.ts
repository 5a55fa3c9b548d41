export { type Advice, type AdviseOptions, advise } from '../advise/advise.js';
export type { ComparedSearch, Judgements } from '../advise/compare.js';
export type { Conclusion } from '../advise/conclude.js';
export type { Latency } from '../advise/latency.js';
export { plotAdvice } from '../advise/plot-advice.js';
export type { AdviceMethod } from '../advise/setting.js';
