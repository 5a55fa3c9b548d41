import { provideWriting } from '../collection/provided-writing.js';
import { providePlatform } from '../platform.js';
import { browserPlatform } from './browser-platform.js';

providePlatform(browserPlatform);
provideWriting(() => import('../collection/writing.js'));

export * from './public.js';
