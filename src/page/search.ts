import { KeyStore } from './key-store.js';
import { SearchPage } from './search-page.js';
import { serverAsker } from './server-asker.js';

// the page of a server: it lies beside the folder of this file
const keys = new KeyStore();
const asker = serverAsker(new URL('..', import.meta.url).href, () => keys.key);
void new SearchPage(asker, keys).show();
