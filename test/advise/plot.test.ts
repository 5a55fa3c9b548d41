import { Parser } from 'htmlparser2';
import { expect, test } from 'vitest';
import { drawPlot } from '../../src/advise/plot.js';

interface Element {
  name: string;
  attributes: Record<string, string>;
  text: string;
}

const SELF_CLOSING = ['line', 'circle', 'polyline'];

/** Elements of an SVG in their order; raises where one is not closed. */
function elementsOf(svg: string): Element[] {
  const all: Element[] = [];
  const open: Element[] = [];
  const parser = new Parser(
    {
      onopentag(name, attributes) {
        const element = { name, attributes, text: '' };
        all.push(element);
        open.push(element);
      },
      ontext(text) {
        const last = open.at(-1);
        if (last) last.text += text;
      },
      onclosetag(name, isImplied) {
        const { name: opened } = open.pop() ?? {};
        const isOpen = isImplied && !SELF_CLOSING.includes(name);
        if (isOpen || opened !== name) throw new Error(`${name} closes ${opened}`);
      },
    },
    { xmlMode: true, recognizeSelfClosing: true },
  );
  parser.end(svg);
  if (open.length > 0) throw new Error(`${open[0].name} is open`);
  return all;
}

const named = (svg: string, name: string): Element[] =>
  elementsOf(svg).filter((element) => element.name === name);
const numbers = ({ attributes }: Element, ...names: string[]): number[] =>
  names.map((name) => Number(attributes[name]));

test('a plot has a point for each point, on logarithmic and linear axes', () => {
  const points = [
    { x: 1, y: 0.9 },
    { x: 10, y: 0.95 },
    { x: 100, y: 1 },
  ];
  const svg = drawPlot({ title: 't', label: 'ms', series: [{ name: 'one', points }] });
  const [a, b, c] = named(svg, 'circle').map((circle) => numbers(circle, 'cx', 'cy'));
  expect(b[0] - a[0]).toBeCloseTo(c[0] - b[0], 0);
  expect(a[1] - b[1]).toBeCloseTo(b[1] - c[1], 0);
  expect(c[0]).toBeGreaterThan(a[0]);
  expect(c[1]).toBeLessThan(a[1]);
  const [line] = named(svg, 'polyline');
  const path = line.attributes.points.split(' ').map((place) => place.split(',').map(Number));
  expect(path).toEqual([a, b, c]);
  expect(named(svg, 'text').map(({ text }) => text)).toEqual(
    expect.arrayContaining(['1', '10', '100', '0.9', 'ms', 'one']),
  );
});

test('each series has a colour of its own, and its name in it', () => {
  const names = ['a', 'b', 'c'];
  const series = names.map((name, i) => ({ name, points: [{ x: 1 + i, y: 1 }] }));
  const svg = drawPlot({ title: 't', label: 'l', series });
  const colors = named(svg, 'circle').map(({ attributes }) => attributes.fill);
  expect(new Set(colors).size).toBe(3);
  const labels = named(svg, 'text').filter(({ text }) => names.includes(text));
  expect(labels.map(({ attributes }) => attributes.fill)).toEqual(colors);
});

test('texts cannot break out of the plot', () => {
  const evil = '</text><script>alert("1")</script>&amp;\u0000\u001b';
  const svg = drawPlot({
    title: evil,
    label: evil,
    series: [{ name: evil, points: [{ x: 2, y: 0.5 }] }],
  });
  const kinds = new Set(elementsOf(svg).map(({ name }) => name));
  expect([...kinds].sort()).toEqual(['circle', 'line', 'svg', 'text', 'title']);
  expect(named(svg, 'title')[0].text).toBe('</text><script>alert("1")</script>&amp;');
});

test('what has no place on the axes is left out, and no point at all is a plot too', () => {
  const points = [
    { x: 0, y: 1 },
    { x: Number.NaN, y: 1 },
    { x: 5, y: Number.NaN },
  ];
  const svg = drawPlot({ title: 't', label: 'l', series: [{ name: 'none', points }] });
  expect(named(svg, 'circle')).toEqual([]);
  expect(svg).not.toMatch(/NaN|Infinity/);
});

test('the axis of shares goes down as far as points do', () => {
  const low = { name: 'low', points: [{ x: 3, y: 0.42 }] };
  const svg = drawPlot({ title: 't', label: 'l', series: [low] });
  expect(named(svg, 'text').map(({ text }) => text)).toContain('0.4');
  const [[, at]] = named(svg, 'circle').map((circle) => numbers(circle, 'cx', 'cy'));
  expect(at).toBeLessThan(480 - 50);
});
