import { byId } from './element.js';
import type { ResultList } from './result-list.js';

/**
 * `/` goes to the box from everywhere, arrows walk from there through the hits and back, Escape
 * closes what is open, and then goes back to the box. Enter is a button's own.
 */
export function listenToKeys(query: HTMLInputElement, results: ResultList): void {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    if (act(event, query, results)) event.preventDefault();
  });
}

function act(
  { key, target }: KeyboardEvent,
  query: HTMLInputElement,
  results: ResultList,
): boolean {
  const at = results.focused;
  switch (key) {
    case '/':
      if (isTyping(target)) return false;
      query.focus();
      query.select();
      return true;
    case 'ArrowDown':
      if (target === query) return results.focus(0);
      return at >= 0 && (results.focus(at + 1) || focusMore());
    case 'ArrowUp':
      if (target === byId('more')) return results.focusLast();
      if (at === 0) query.focus();
      return at === 0 || (at > 0 && results.focus(at - 1));
    case 'Escape':
      if (isTyping(target) || results.close()) return !isTyping(target);
      query.focus();
      return true;
    default:
      return false;
  }
}

function focusMore(): boolean {
  const more = byId('more');
  more.focus();
  return !more.hidden;
}

/** Whether a key is a character where it goes. */
function isTyping(target: EventTarget | null): boolean {
  if (target instanceof HTMLInputElement) return !/^(checkbox|radio)$/.test(target.type);
  return target instanceof HTMLSelectElement;
}
