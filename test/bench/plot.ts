// Role: draws figures that have a series as one SVG: size on a logarithmic axis, milliseconds from zero.
// Pure.
import type { Figure, Point } from './figure.ts';

const WIDTH = 720;
const HEIGHT = 420;
const MARGIN = { left: 64, right: 150, top: 40, bottom: 56 };
const COLOURS = ['#0b6e99', '#c2410c', '#3f7d20', '#7e22ce', '#a16207', '#be123c'];
const GRID_LINES = 5;

/** Null when no figure has a series. */
export function plotOf(figures: readonly Figure[]): string | null {
  const drawn = figures.flatMap(({ figure, series }) => (series ? [{ name: figure, series }] : []));
  if (drawn.length === 0) return null;
  const points = drawn.flatMap(({ series }) => series);
  const scale = scaleOf(points);
  const lines = drawn.flatMap(({ name, series }, index) =>
    curve(name, series, COLOURS[index % COLOURS.length] ?? 'black', scale),
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    text(MARGIN.left, 22, 'Milliseconds an operation (p50) by postings in the books'),
    ...gridOf(scale),
    ...[...new Set(points.map(({ x }) => x))].flatMap((x) => sizeMark(x, scale)),
    ...lines,
    '</svg>',
    '',
  ].join('\n');
}

interface Scale {
  x(value: number): number;
  y(value: number): number;
  highest: number;
}

function scaleOf(points: readonly Point[]): Scale {
  const sizes = points.map(({ x }) => Math.log10(x));
  const [from, to] = [Math.min(...sizes), Math.max(...sizes)];
  const step = niceStep(Math.max(...points.map(({ y }) => y)) / GRID_LINES);
  const highest = step * Math.ceil(Math.max(...points.map(({ y }) => y)) / step);
  const [width, height] = [WIDTH - MARGIN.left - MARGIN.right, HEIGHT - MARGIN.top - MARGIN.bottom];
  return {
    x: (value) => MARGIN.left + (width * (Math.log10(value) - from)) / (to - from || 1),
    y: (value) => MARGIN.top + height * (1 - value / highest),
    highest,
  };
}

/** 1, 2 or 5 times a power of ten. */
function niceStep(atLeast: number): number {
  const power = 10 ** Math.floor(Math.log10(atLeast));
  return ([1, 2, 5, 10].find((factor) => factor * power >= atLeast) ?? 10) * power;
}

function gridOf(scale: Scale): string[] {
  const step = niceStep(scale.highest / GRID_LINES);
  const count = Math.round(scale.highest / step);
  return Array.from({ length: count + 1 }, (_, index) => index * step).flatMap((value) => [
    `<line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${at(scale.y(value))}" y2="${at(scale.y(value))}" stroke="#ddd"/>`,
    text(MARGIN.left - 8, scale.y(value) + 4, String(Number(value.toPrecision(3))), 'end'),
  ]);
}

function sizeMark(x: number, scale: Scale): string[] {
  const label = x.toLocaleString('en-US');
  return [text(scale.x(x), HEIGHT - MARGIN.bottom + 20, label, 'middle')];
}

function curve(name: string, series: readonly Point[], colour: string, scale: Scale): string[] {
  const places = series.map(({ x, y }) => `${at(scale.x(x))},${at(scale.y(y))}`);
  const last = series.at(-1) ?? { x: 1, y: 0 };
  return [
    `<polyline points="${places.join(' ')}" fill="none" stroke="${colour}" stroke-width="2"/>`,
    ...places.map((place) => {
      const [x, y] = place.split(',');
      return `<circle cx="${x}" cy="${y}" r="3" fill="${colour}"/>`;
    }),
    text(scale.x(last.x) + 10, scale.y(last.y) + 4, name, 'start', colour),
  ];
}

const at = (value: number) => value.toFixed(1);

function text(x: number, y: number, words: string, anchor = 'start', colour = '#333'): string {
  return `<text x="${at(x)}" y="${at(y)}" text-anchor="${anchor}" fill="${colour}">${words}</text>`;
}
