import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { PictureAnswer, PictureNode } from '../data/traffic.ts';
import { hrefWith } from '../app/address.ts';
import { count, duration, percent } from '../data/format.ts';
import { gravityOf } from '../parts/state.tsx';
import { BOX_HEIGHT, layoutOf, neighbourhood, type Box } from './layout.ts';

interface DrawingProps {
  readonly picture: PictureAnswer;
  readonly selected: string | undefined;
}

/** The picture as a drawing. What is read aloud of each box is all that it shows. */
export function Drawing({ picture, selected }: DrawingProps): JSX.Element {
  const { width, height, columns, boxes, wires } = useMemo(() => layoutOf(picture), [picture]);
  const bright = selected === undefined ? undefined : neighbourhood(selected, wires);
  const isDim = (...ids: string[]): boolean => bright !== undefined && !ids.every((id) => bright.has(id));
  return (
    <div
      class="picture"
      role="region"
      aria-label="Picture of the traffic; t shows it as a table"
      tabIndex={0}
    >
      <svg viewBox={`0 0 ${width} ${height}`} role="group" aria-label="Routes, upstreams and targets">
        {columns.map(({ title, x }) => (
          <text key={title} class="title" x={x} y={14}>
            {title}
          </text>
        ))}
        {wires.map(({ key, from, to, path, width: strength, state }) => (
          <path
            key={key}
            d={path}
            stroke-width={strength}
            class={`${gravityOf(state)}${isDim(from, to) ? ' dim' : ''}`}
          />
        ))}
        {boxes.map((box) => (
          <Node
            key={box.node.id}
            box={box}
            isDim={isDim(box.node.id)}
            isSelected={box.node.id === selected}
          />
        ))}
      </svg>
    </div>
  );
}

interface NodeProps {
  readonly box: Box;
  readonly isDim: boolean;
  readonly isSelected: boolean;
}

function Node({ box: { node, x, y, width }, isDim, isSelected }: NodeProps): JSX.Element {
  const gravity = gravityOf(node.state);
  return (
    <a
      href={hrefWith({ select: isSelected ? undefined : node.id })}
      class={isDim ? 'dim' : ''}
      aria-label={`${node.label} ${numbers(node)} ${MARKS[gravity]} ${node.state}`}
      aria-current={isSelected ? 'true' : undefined}
    >
      <rect
        class={`box ${gravity}`}
        x={x + 0.5}
        y={y + 0.5}
        width={width - 1}
        height={BOX_HEIGHT - 1}
        rx={6}
      />
      <text x={x + 12} y={y + 16}>
        {cut(node.label, Math.floor((width - 90) / 6.6))}
      </text>{' '}
      <text class="figure" x={x + 12} y={y + 30}>
        {numbers(node)}
      </text>{' '}
      <text class={`word ${gravity}`} x={x + width - 12} y={y + 16} text-anchor="end">
        {MARKS[gravity]} {node.state}
      </text>
    </a>
  );
}

/** A shape for each gravity, beside the word. */
const MARKS = { good: '●', warn: '▲', bad: '✕', idle: '○', info: '●' } as const;

function numbers({ rps, errorRate, p95, members, state }: PictureNode): string {
  const many = members === undefined ? '' : `${count(members)} of them · `;
  if (state === 'idle') return `${many}no request`;
  return `${many}${count(rps)}/s · ${percent(errorRate)} failed · p95 ${duration(p95)}`;
}

/** A name in so many letters: its end tells more than its middle. */
export function cut(text: string, most: number): string {
  if (text.length <= most) return text;
  const end = Math.floor((most - 1) / 2);
  return `${text.slice(0, most - 1 - end)}…${text.slice(text.length - end)}`;
}
