// where only an encoder is at hand nothing else has provided the platform
import './edge.js';

export * from './langchain.js';
