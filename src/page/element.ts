/** What an element is made with: attributes (true: there, false and undefined: not there). */
type Attributes = Readonly<Record<string, string | boolean | undefined>>;

/** An element with attributes and what is in it. Texts stay texts: nothing is read as HTML. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes))
    if (value !== undefined && value !== false)
      made.setAttribute(name, value === true ? '' : value);
  made.append(...children);
  return made;
}

/** The page's own element of an id. */
export function byId<T extends HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}
