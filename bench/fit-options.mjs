/** Options of `Index.fit` among the arguments of a benchmark: those that are not its own. */
export function fitOptionsOf(parsed, own) {
  const options = {};
  for (const { kind, name, value } of parsed) {
    if (kind !== 'option' || own.includes(name)) continue;
    const key = name.replace(/-(.)/g, (_, letter) => letter.toUpperCase());
    options[key] = value === 'null' ? null : Number.isNaN(Number(value)) ? value : Number(value);
  }
  return options;
}
