// A process that may have few files open, and at times none more: each call does what it says, or
// nothing, and works again when files can be opened.
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Index, isLemurError } from '../../../dist/entry/node.js';

const root = mkdtempSync(join(tmpdir(), 'lemur-files-'));
const at = join(root, 'index');
const options = { dim: 8, threads: 1 };
const documentOf = (id) => ({
  id,
  tokens: { data: new Float32Array(24).map((_, i) => Math.sin(i + id.length)), dims: [3, 8] },
});
const held = [];
const counts = { done: 0, refused: 0 };

/** Leaves room for so many. */
function exhaust(room) {
  try {
    for (;;) held.push(openSync('/dev/null', 'r'));
  } catch {
    for (const file of held.splice(0, room)) closeSync(file);
  }
}

/** Whether it was done; anything but an error of ours that says why not ends this. */
async function done(call) {
  try {
    await call();
    counts.done++;
    return true;
  } catch (error) {
    if (
      !isLemurError(error, 'storage-failed') ||
      !error.message.includes('too many files are open')
    )
      throw error;
    counts.refused++;
    return false;
  }
}

let index = await Index.create(at, options);
for (let room = 0; room < 6; room++) {
  const made = join(root, `made-${room}`);
  exhaust(room);
  const added = await done(() => index.add(documentOf(`a${room}`)));
  await done(async () => (await Index.open(at, { threads: 1 })).close());
  const created = await done(async () => (await Index.create(made, options)).close());
  const closed = await done(() => index.close());
  for (const file of held.splice(0)) closeSync(file);

  if (!closed) await index.close();
  await (created
    ? Index.open(made, { ...{ threads: 1 }, write: true })
    : Index.create(made, options)
  ).then((other) => other.close());
  index = await Index.open(at, { write: true, threads: 1 });
  if (((await index.get(`a${room}`)) !== undefined) !== added)
    throw new Error(`room for ${room}: added ${added}, and that is not so`);
  await index.add(documentOf(`b${room}`));
  if ((await index.verify()).problems.length > 0) throw new Error('not whole');
}
await index.close();
if (
  readdirSync(at).some((name) => !/^(index\.json|(segment|keywords)\.\d+\.safetensors)$/.test(name))
)
  throw new Error(`left: ${readdirSync(at)}`);
rmSync(root, { recursive: true });
console.log(JSON.stringify(counts));
