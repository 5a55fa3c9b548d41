// The table and the plots of rows of run.mjs.
import { drawPlot } from '../../dist/advise/plot.js';

export function markdown(rows, head) {
  const lines = rows.map(({ peer, node, threads, knob, missing, ...row }) => {
    const name = `${peer}${node ? ` (Node ${node})` : ''}`;
    if (missing) return `| ${name} | ${threads} | ${missing.replaceAll('|', '/')} | | | | | |`;
    const how = Object.entries(knob).map(([key, value]) => `${key} ${value}`);
    const numbers = [
      row.recall10.toFixed(3),
      row.p50.toFixed(2),
      row.p95.toFixed(2),
      row.bytesAToken.toFixed(1),
      row.buildSeconds.toFixed(1),
    ];
    return `| ${[name, threads, how.join(', '), ...numbers].join(' | ')} |`;
  });
  const title =
    '| engine | threads | setting | recall@10 | p50 ms | p95 ms | bytes a token | build s |';
  return `${head}\n\n${title}\n|---|---|---|---|---|---|---|---|\n${lines.join('\n')}\n`;
}

/** Recall of the ten best against a column, which has a logarithmic axis; a line an engine. */
export function plot(rows, column, label) {
  const all = rows.filter((row) => !row.missing && row[column] > 0);
  const series = [...groups(all)].map(([name, own]) => ({
    name,
    points: own.map((row) => ({ x: row[column], y: row.recall10 })),
  }));
  return drawPlot({ title: `recall@10 by ${label}`, label, series });
}

function nameOf({ peer, node, threads }) {
  return `${peer}${node ? ` ${node}` : ''}, ${threads} threads`;
}

function groups(rows) {
  const named = new Map();
  for (const row of rows) named.set(nameOf(row), [...(named.get(nameOf(row)) ?? []), row]);
  return named;
}
