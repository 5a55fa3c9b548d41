// The table and the plots of rows of run.mjs.

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

const [WIDTH, HEIGHT, LEFT, TOP, BOTTOM, RIGHT] = [860, 480, 60, 20, 50, 240];
const COLORS = ['#0b6', '#06c', '#c30', '#939', '#c80', '#088', '#555', '#b06', '#360', '#24a'];

/** Recall of the ten best against a column, which has a logarithmic axis; a line an engine. */
export function plot(rows, column, label) {
  const all = rows.filter((row) => !row.missing && row[column] > 0);
  const named = groups(all);
  const logs = all.map((row) => Math.log10(row[column]));
  const [low, high] = [Math.floor(Math.min(0, ...logs)), Math.ceil(Math.max(1, ...logs))];
  const least = Math.floor(10 * Math.min(0.9, ...all.map((row) => row.recall10))) / 10;
  const x = (value) => LEFT + ((Math.log10(value) - low) / (high - low)) * (WIDTH - LEFT - RIGHT);
  const y = (recall) =>
    HEIGHT - BOTTOM - ((recall - least) / (1 - least)) * (HEIGHT - TOP - BOTTOM);
  const parts = [`<title>recall@10 by ${label}</title>`];
  for (let power = low; power <= high; power++) {
    const at = x(10 ** power);
    parts.push(
      line(at, TOP, at, HEIGHT - BOTTOM),
      text(at, HEIGHT - 30, `${10 ** power}`, 'middle'),
    );
  }
  for (let tenth = Math.round(10 * least); tenth <= 10; tenth++) {
    const at = y(tenth / 10);
    parts.push(line(LEFT, at, WIDTH - RIGHT, at), text(LEFT - 6, at + 4, `${tenth / 10}`, 'end'));
  }
  parts.push(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, label, 'middle'));
  for (const [i, [name, own]] of [...named].entries()) {
    const color = COLORS[i % COLORS.length];
    const points = own.map((row) => `${x(row[column]).toFixed(1)},${y(row.recall10).toFixed(1)}`);
    parts.push(`<polyline points="${points.join(' ')}" fill="none" stroke="${color}"/>`);
    for (const point of points) {
      const [cx, cy] = point.split(',');
      parts.push(`<circle cx="${cx}" cy="${cy}" r="3" fill="${color}"/>`);
    }
    parts.push(text(WIDTH - RIGHT + 12, TOP + 14 * i + 10, name, 'start', color));
  }
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" ` +
    `font-family="sans-serif" font-size="11">\n${parts.join('\n')}\n</svg>\n`
  );
}

function nameOf({ peer, node, threads }) {
  return `${peer}${node ? ` ${node}` : ''}, ${threads} threads`;
}

function groups(rows) {
  const named = new Map();
  for (const row of rows) named.set(nameOf(row), [...(named.get(nameOf(row)) ?? []), row]);
  return named;
}

function line(x1, y1, x2, y2) {
  return `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="#ddd"/>`;
}

function text(x, y, content, anchor, color = '#333') {
  const safe = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${x}" y="${y}" text-anchor="${anchor}" fill="${color}">${safe}</text>`;
}
