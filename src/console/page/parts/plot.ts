import uPlot from 'uplot';
import type { Mark } from '../data/marks.ts';

/** One curve. */
export interface Line {
  readonly name: string;
  /** 1 to 5: which colour of the house. */
  readonly colour: 1 | 2 | 3 | 4 | 5;
  readonly values: readonly (number | null)[];
}

/** What a plot is made of. */
export interface PlotOptions {
  readonly place: HTMLElement;
  readonly lines: readonly Pick<Line, 'name' | 'colour'>[];
  /** How values are written beside the axis. */
  readonly format: (value: number) => string;
  /** Plots with the same key have one cursor. */
  readonly sync: string;
  readonly marks: () => readonly Mark[];
  readonly onCursor: (index: number | null) => void;
}

const HEIGHT = 168;
const FONT = '11px system-ui, sans-serif';

/** Draws curves over time. Colours are those of the page at that moment: draw again when they change. */
export function plotIn({ place, lines, format, sync, marks, onCursor }: PlotOptions): uPlot {
  const colour = colours(place);
  const axis: uPlot.Axis = {
    stroke: colour('--quiet'),
    font: FONT,
    grid: { stroke: colour('--chart-grid'), width: 1 },
    ticks: { show: false },
  };
  const options: uPlot.Options = {
    width: Math.max(place.clientWidth, 200),
    height: HEIGHT,
    padding: [8, 6, 0, 0],
    legend: { show: false },
    cursor: { sync: { key: sync }, y: false, drag: { x: false, y: false }, points: { size: 6 } },
    scales: { y: { range: (_plot, _least, most) => [0, most > 0 ? most * 1.1 : 1] } },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 26,
        gap: 6,
        values: (_plot, splits) => splits.map(timeText),
        space: 70,
      },
      { ...axis, size: 58, space: 34, values: (_plot, splits) => splits.map((value) => format(value)) },
    ],
    series: [{}, ...lines.map((line) => seriesOf(line, colour))],
    hooks: {
      draw: [(plot) => drawMarks(plot, marks(), colour('--strong-line'))],
      setCursor: [({ cursor }) => onCursor(cursor.idx ?? null)],
    },
  };
  return new uPlot(options, [[], ...lines.map(() => [])], place);
}

function seriesOf({ name, colour: number }: Pick<Line, 'name' | 'colour'>, colour: Colours): uPlot.Series {
  const stroke = colour(`--chart-${number}`);
  // A value between two gaps has no line to either side: it is a dot.
  const points = { show: false, size: 4, fill: stroke, filter: lonelyOf };
  return { label: name, stroke, width: 1.5, points, spanGaps: false };
}

/** The indexes of values that have none beside them. */
export function lonelyOf({ data }: Pick<uPlot, 'data'>, series: number): number[] {
  const values = data[series] ?? [];
  const isThere = (i: number): boolean => typeof values[i] === 'number';
  return Array.from(values, (_, i) => i).filter((i) => isThere(i) && !isThere(i - 1) && !isThere(i + 1));
}

type Colours = (property: string) => string;

// A custom property can hold light-dark(); only a real property says what came of it.
function colours(place: HTMLElement): Colours {
  return (property) => {
    const probe = place.ownerDocument.createElement('i');
    probe.style.color = `var(${property})`;
    place.append(probe);
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
  };
}

function timeText(seconds: number): string {
  const text = new Date(seconds * 1000).toTimeString();
  return seconds % 60 === 0 ? text.slice(0, 5) : text.slice(0, 8);
}

/** Upright lines where something has happened. */
function drawMarks({ ctx, bbox, valToPos, scales }: uPlot, marks: readonly Mark[], colour: string): void {
  const { min, max } = scales['x'] ?? {};
  if (typeof min !== 'number' || typeof max !== 'number') return;
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.setLineDash([4, 4]);
  for (const { at } of marks) {
    const seconds = new Date(at).getTime() / 1000;
    if (seconds < min || seconds > max) continue;
    const x = Math.round(valToPos(seconds, 'x', true)) + 0.5;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}
