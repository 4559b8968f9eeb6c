import type { JSX } from 'preact';
import type { Line } from './plot.ts';

interface ChartTableProps {
  readonly title: string;
  readonly format: (value: number | null | undefined) => string;
  readonly lines: readonly Line[];
  readonly fromMs: number;
  readonly stepMs: number;
  readonly points: number;
}

/** The values of curves, newest first. */
export function ChartTable({ title, format, lines, fromMs, stepMs, points }: ChartTableProps): JSX.Element {
  const order = Array.from({ length: points }, (_, i) => points - 1 - i);
  return (
    <div class="scroll tall" tabIndex={0} role="region" aria-label={`${title} as a table`}>
      <table>
        <caption class="hidden">{title}</caption>
        <thead>
          <tr>
            <th scope="col">Time</th>
            {lines.map(({ name }) => (
              <th key={name} scope="col" class="numeric">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {order.map((i) => (
            <tr key={i}>
              <th scope="row" class="number">
                {new Date(fromMs + i * stepMs).toTimeString().slice(0, 8)}
              </th>
              {lines.map(({ name, values }) => (
                <td key={name} class="numeric">
                  {format(values[i])}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
