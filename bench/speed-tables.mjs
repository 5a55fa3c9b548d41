// Markdown tables of what bench/speed.mjs has measured: one for each setting of Node, a row for
// each figure: the median over the rounds and between which values they lie, and how many times
// better this checkout is than the other one.

/** How figures of a stage are called, how they are made of one round's result, and their digits. */
const ROWS = {
  fit: (seconds) =>
    Object.entries(seconds).map(([stage, s]) => row(`fit, ${stage}, s`, s, { digits: 1 })),
  recall: (shares) =>
    Object.entries(shares).map(([k, share]) =>
      row(`recall of the exact top 10, k' = ${k}`, share, { digits: 4, isTime: false }),
    ),
  search: ({ features, ...times }) => [
    ...Object.entries(times).flatMap(([k, ms]) => [
      row(`one query, k' = ${k}, median ms`, quantile(ms, 0.5)),
      row(`one query, k' = ${k}, p95 ms`, quantile(ms, 0.95)),
    ]),
    row('features of one query, median ms', quantile(features, 0.5)),
  ],
  index: ({ open, first, ...times }) => [
    ...Object.entries(times).map(([k, ms]) =>
      row(`one query of an index, k' = ${k}, median ms`, quantile(ms, 0.5)),
    ),
    row("the same, just opened, k' = 200", quantile(first, 0.5)),
    row('opening it, ms', open[0], { digits: 0 }),
  ],
  batch: (times) =>
    Object.entries(times).map(([k, ms]) =>
      row(`batches of 64, k' = ${k}, ms a query`, quantile(ms, 0.5)),
    ),
  exact: ({ one }) => [row('exact MaxSim of all, median ms', quantile(one, 0.5), { digits: 1 })],
  callers: ({ one, two, ratio }) => [
    row("one caller, k' = 100, queries a second", one, { digits: 0, isTime: false }),
    row("two callers, k' = 100, queries a second", two, { digits: 0, isTime: false }),
    row('two callers over one', ratio, { isTime: false }),
  ],
  holds: ({ longest, busiest }) => [
    row('longest hold of the main thread, ms', longest, { digits: 1 }),
    row('the same, on the processor, ms', busiest, { digits: 1 }),
  ],
  weights: ({ million }) => [
    row('weights of a million documents of 32 tokens, s', million, { digits: 0 }),
  ],
  bytes: ({ token }) => [row('bytes a token', token, { digits: 1 })],
};

export function speedTables({
  machine,
  vectors,
  rounds,
  queries,
  quick,
  sides,
  settings,
  measured,
}) {
  const head =
    `${machine}; ${vectors}, ${queries} queries, ${rounds} rounds, sides taking turns: ` +
    `median of the rounds (least–most)${quick ? '; a quick fit, so that recall is low' : ''}`;
  return [head, ...settings.map((setting) => tableOf(setting, sides, measured))].join('\n\n');
}

function tableOf(setting, sides, measured) {
  const columns = sides.map((side) =>
    figuresOf(measured.find((one) => one.setting === setting && one.side === side.name).measured),
  );
  const names = new Map(columns.flatMap((figures) => [...figures]).map(([name, f]) => [name, f]));
  const isPair = sides.length === 2;
  const lines = [...names].map(([name, { digits, isTime }]) => {
    const cells = columns.map((figures) => spread(figures.get(name)?.values, digits));
    const [base, ours] = columns.map((figures) => figures.get(name)?.values);
    if (isPair) cells.push(base && ours ? ratio(base, ours, isTime) : '-');
    return `| ${[name, ...cells].join(' | ')} |`;
  });
  const titles = [...sides.map(({ name, commit }) => `${name}, ${commit}`)];
  if (isPair) titles.push('times better');
  return [
    `| ${[setting, ...titles].join(' | ')} |`,
    `|---|${titles.map(() => '---|').join('')}`,
    ...lines,
  ].join('\n');
}

/** By name: the values of all rounds. */
function figuresOf(measured) {
  const figures = new Map();
  for (const { stage, precision, result } of measured) {
    for (const { name, value, ...rest } of ROWS[stage](result)) {
      const full = precision ? `${precision}: ${name}` : name;
      if (!figures.has(full)) figures.set(full, { ...rest, values: [] });
      figures.get(full).values.push(value);
    }
  }
  return figures;
}

function row(name, value, { digits = 2, isTime = true } = {}) {
  return { name, value, digits, isTime };
}

function spread(values, digits) {
  if (!values) return '-';
  const [least, most] = [Math.min(...values), Math.max(...values)].map((v) => v.toFixed(digits));
  const middle = median(values).toFixed(digits);
  return least === most ? middle : `${middle} (${least}–${most})`;
}

/** How many times better ours is, round by round where both have as many. */
function ratio(base, ours, isTime) {
  const better = (b, o) => (isTime ? b / o : o / b);
  if (base.length !== ours.length) return better(median(base), median(ours)).toFixed(2);
  return spread(
    base.map((b, round) => better(b, ours[round])),
    2,
  );
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}

function quantile(values, share) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}
