/** Where a key is kept as long as the tab is open. */
const NAME = 'lemur-key';
/** What a header can carry. */
const KEY = /^[\x21-\x7e]+$/;

/** The key that the page sends; where the browser keeps nothing, as long as the page is there. */
export class KeyStore {
  #key: string | undefined;

  constructor() {
    this.#key = kept(() => sessionStorage.getItem(NAME)) ?? undefined;
  }

  get key(): string | undefined {
    return this.#key;
  }

  /** Whether it can be a key; then it is kept. */
  take(text: string): boolean {
    const key = text.trim();
    if (!KEY.test(key)) return false;
    this.#key = key;
    kept(() => sessionStorage.setItem(NAME, key));
    return true;
  }

  forget(): void {
    this.#key = undefined;
    kept(() => sessionStorage.removeItem(NAME));
  }
}

/** Some browsers refuse to keep anything, by an error. */
function kept<T>(use: () => T): T | undefined {
  try {
    return use();
  } catch {
    return undefined;
  }
}
