/** Whether it names a model: a folder's path or `file:` URL, or an id of the hub. */
export function isModelName(value: unknown): value is string | URL {
  return typeof value === 'string' || Object.prototype.toString.call(value) === '[object URL]';
}
