export { createHandler, type Handler } from '../server/handler.js';
export type { AnsweredRequest, HandlerOptions } from '../server/handler-options.js';
