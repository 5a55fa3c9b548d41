/** One line of a plot: a name, and its points in their order. */
export interface PlotSeries {
  name: string;
  /** x above 0. */
  points: readonly { x: number; y: number }[];
}

/** A plot of shares (0 .. 1) against something that has a logarithmic axis. */
export interface Plot {
  title: string;
  /** What the horizontal axis counts. */
  label: string;
  series: readonly PlotSeries[];
}

const [WIDTH, HEIGHT, LEFT, TOP, BOTTOM, RIGHT] = [860, 480, 60, 20, 50, 240];
const COLORS = ['#0b6', '#06c', '#c30', '#939', '#c80', '#088', '#555', '#b06', '#360', '#24a'];
/** The vertical axis begins here, or lower where points are. */
const LEAST = 0.9;

/** The plot as SVG. Points at 0 or below are left out: a logarithmic axis has no place for them. */
export function drawPlot({ title, label, series }: Plot): string {
  const shown = series.map(({ name, points }) => ({ name, points: points.filter(isPlaced) }));
  const all = shown.flatMap(({ points }) => points);
  const logs = all.map(({ x }) => Math.log10(x));
  const low = Math.floor(Math.min(0, ...logs));
  const high = Math.ceil(Math.max(1, ...logs));
  const least = Math.floor(10 * Math.min(LEAST, ...all.map(({ y }) => y))) / 10;
  const right = WIDTH - RIGHT;
  const below = HEIGHT - BOTTOM;
  const across = (value: number): number =>
    LEFT + ((Math.log10(value) - low) / (high - low)) * (right - LEFT);
  const up = (share: number): number => below - ((share - least) / (1 - least)) * (below - TOP);
  const parts = [`<title>${escaped(title)}</title>`];
  for (let power = low; power <= high; power++) {
    const at = across(10 ** power);
    const number = `${Number((10 ** power).toPrecision(1))}`;
    parts.push(line(at, TOP, at, below), text(at, HEIGHT - 30, number, 'middle'));
  }
  for (let tenth = Math.round(10 * least); tenth <= 10; tenth++) {
    const at = up(tenth / 10);
    parts.push(line(LEFT, at, right, at), text(LEFT - 6, at + 4, `${tenth / 10}`, 'end'));
  }
  parts.push(text((LEFT + right) / 2, HEIGHT - 8, label, 'middle'));
  for (const [i, { name, points }] of shown.entries()) {
    const color = COLORS[i % COLORS.length];
    const places = points.map(({ x, y }) => [across(x).toFixed(1), up(y).toFixed(1)]);
    const path = places.map((place) => place.join()).join(' ');
    if (places.length > 1) parts.push(`<polyline points="${path}" fill="none" stroke="${color}"/>`);
    for (const [x, y] of places) parts.push(`<circle cx="${x}" cy="${y}" r="3" fill="${color}"/>`);
    parts.push(text(right + 12, TOP + 14 * i + 10, name, 'start', color));
  }
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" ` +
    `font-family="sans-serif" font-size="11">\n${parts.join('\n')}\n</svg>\n`
  );
}

function isPlaced({ x, y }: { x: number; y: number }): boolean {
  return x > 0 && Number.isFinite(x) && Number.isFinite(y);
}

function line(x1: number, y1: number, x2: number, y2: number): string {
  const [from, to] = [`x1="${short(x1)}" y1="${short(y1)}"`, `x2="${short(x2)}" y2="${short(y2)}"`];
  return `<line ${from} ${to} stroke="#ddd"/>`;
}

function text(x: number, y: number, content: string, anchor: string, color = '#333'): string {
  const place = `x="${short(x)}" y="${short(y)}" text-anchor="${anchor}"`;
  return `<text ${place} fill="${color}">${escaped(content)}</text>`;
}

function short(value: number): string {
  return `${Number(value.toFixed(1))}`;
}

/** Characters that XML has no place for are left out. */
function escaped(content: string): string {
  return content
    .replace(/[^\t\n\r\x20-\ud7ff\ue000-\ufffd]/g, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}
