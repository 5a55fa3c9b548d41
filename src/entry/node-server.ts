export { type ListeningServer, type ServeOptions, serve } from '../server/node-serve.js';
export * from './server.js';
