import type { Advice } from './advise.js';
import { drawPlot, type PlotSeries } from './plot.js';

/**
 * An SVG plot of what `advise` has found: recall against the median milliseconds of one query, a
 * line for each way to search.
 */
export function plotAdvice({ k, rows, documents }: Advice): string {
  const series = new Map<string, PlotSeries & { points: { x: number; y: number }[] }>();
  for (const { name, latency, recall } of rows) {
    const one = series.get(name) ?? { name, points: [] };
    one.points.push({ x: latency.median, y: recall });
    series.set(name, one);
  }
  const count = documents.toLocaleString('en-US');
  return drawPlot({
    title: `recall@${k} by milliseconds of one query, among ${count} documents`,
    label: 'median ms of one query',
    series: [...series.values()],
  });
}
