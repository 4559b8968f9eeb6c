import type { JSX, RefObject } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type uPlot from 'uplot';
import { marks } from '../data/marks.ts';
import { useStore } from '../data/store.ts';
import { painted } from '../app/theme.ts';
import { asTable } from './as-table.ts';
import { ChartTable } from './chart-table.tsx';
import { describeLine } from './chart-text.ts';
import { Panel } from './panel.tsx';
import { plotIn, type Line } from './plot.ts';

interface ChartProps {
  readonly title: string;
  /** What the numbers are: `requests a second`. */
  readonly unit: string;
  readonly format: (value: number | null | undefined) => string;
  readonly lines: readonly Line[];
  readonly fromMs: number;
  readonly stepMs: number;
}

/** Curves over time, or the table of their values; the arrow keys lead along them. */
export function Chart(props: ChartProps): JSX.Element {
  const { title, unit, format, lines } = props;
  // The last point is not over yet, and would look like a fall.
  const points = Math.max(0, (lines[0]?.values.length ?? 0) - 1);
  const [at, setAt] = useState<number | null>(null);
  const shownAt = at ?? points - 1;
  const isTable = useStore(asTable);
  const summary = lines
    .map((line) => describeLine(line.name, line.values.slice(0, points), format))
    .join('; ');
  return (
    <Panel title={title} note={unit}>
      {isTable ? (
        <ChartTable {...props} points={points} />
      ) : (
        <div class="chart">
          <ul class="legend">
            {lines.map(({ name, colour, values }) => (
              <li key={name}>
                <span class={`swatch c${colour}`} aria-hidden="true" />
                {name} <b>{format(values[shownAt])}</b>
              </li>
            ))}
          </ul>
          <Canvas {...props} points={points} summary={summary} at={at} setAt={setAt} />
        </div>
      )}
    </Panel>
  );
}

interface CanvasProps extends ChartProps {
  readonly points: number;
  readonly summary: string;
  readonly at: number | null;
  setAt(at: number | null): void;
}

function Canvas(props: CanvasProps): JSX.Element {
  const { title, format, lines, fromMs, stepMs, points, summary, at, setAt } = props;
  const place = useRef<HTMLDivElement>(null);
  const data = useMemo(
    () => [
      Array.from({ length: points }, (_, i) => (fromMs + i * stepMs) / 1000),
      ...lines.map(({ values }) => values.slice(0, points)),
    ],
    [lines, fromMs, stepMs, points],
  );
  const plot = usePlot(place, props, data as uPlot.AlignedData);
  const move = (event: KeyboardEvent): void => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = Math.min(points - 1, Math.max(0, (at ?? points - 1) + step));
    setAt(next);
    plot.current?.setCursor({ left: plot.current.valToPos(data[0]?.[next] ?? 0, 'x'), top: 1 });
  };
  const time = at === null ? '' : new Date(fromMs + at * stepMs).toTimeString().slice(0, 8);
  const values = lines.map((line) => `${line.name} ${format(line.values[at ?? 0])}`).join(', ');
  return (
    <>
      <div
        ref={place}
        class="canvas"
        role="img"
        tabIndex={0}
        onKeyDown={move}
        aria-label={`${title}: ${summary}. The arrow keys lead along the curves, t shows a table.`}
      />
      <p class="hidden" aria-live="polite">
        {at === null ? '' : `${time}: ${values}`}
      </p>
    </>
  );
}

/** Keeps a plot in a place: made anew for other curves or colours, else fed. */
function usePlot(
  place: RefObject<HTMLDivElement | null>,
  { lines, format, setAt }: Pick<CanvasProps, 'lines' | 'format' | 'setAt'>,
  data: uPlot.AlignedData,
): RefObject<uPlot | null> {
  const plot = useRef<uPlot>(null);
  const colours = useStore(painted);
  const happened = useStore(marks.store);
  const shape = lines.map(({ name, colour }) => name + colour).join();
  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const parts = { place: element, lines, format, onCursor: setAt };
    const made = plotIn({ ...parts, sync: 'page', marks: () => marks.store.value });
    plot.current = made;
    const observer = new ResizeObserver(() =>
      made.setSize({ width: element.clientWidth, height: made.height }),
    );
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
    };
  }, [shape, colours]);
  useEffect(() => plot.current?.setData(data), [data, shape, colours, happened]);
  return plot;
}
