/** The rows below `count` that are in some of the lists, ascending, each once. */
export function uniqueRows(lists: readonly Int32Array[], count: number): Int32Array {
  const [first] = lists;
  if (lists.length > 0 && lists.every((list) => list === first) && ascends(first)) return first;
  const seen = new Uint8Array(count);
  let found = 0;
  for (const list of lists)
    for (const row of list) {
      if (seen[row] === 0) found++;
      seen[row] = 1;
    }
  const rows = new Int32Array(found);
  let at = 0;
  for (let row = 0; row < count; row++) if (seen[row] === 1) rows[at++] = row;
  return rows;
}

function ascends(list: Int32Array): boolean {
  for (let i = 1; i < list.length; i++) if (list[i - 1] >= list[i]) return false;
  return true;
}
