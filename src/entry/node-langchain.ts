// where only an encoder is at hand nothing else has provided the platform
import './node.js';

export * from './langchain.js';
