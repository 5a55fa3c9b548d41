/**
 * The bytes of what the build has packed into a module: deflated, in base64, a third of their
 * length. Rejects in engines without `DecompressionStream`.
 */
export async function unpack(packed: string): Promise<Uint8Array<ArrayBuffer>> {
  const deflated = Uint8Array.from(atob(packed), (character) => character.charCodeAt(0));
  const inflated = new Blob([deflated])
    .stream()
    .pipeThrough(new DecompressionStream('deflate-raw'));
  // a Response would do, and in Node load all of its HTTP client
  const reader = inflated.getReader();
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (let next = await reader.read(); !next.done; next = await reader.read())
    parts.push(next.value);
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

/** The same of a text. */
export async function unpackText(packed: string): Promise<string> {
  return new TextDecoder().decode(await unpack(packed));
}
