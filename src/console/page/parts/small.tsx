import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';
import { ago, clock } from '../data/format.ts';
import { Icon } from './icon.tsx';

/** Copies a name. */
export function Copy({ text, what }: { readonly text: string; readonly what: string }): JSX.Element | null {
  const [isDone, setDone] = useState(false);
  // Browsers give it to pages over TLS or of this machine only.
  const { clipboard } = navigator as { readonly clipboard?: Clipboard };
  if (clipboard === undefined) return null;
  const copy = async (): Promise<void> => {
    try {
      await clipboard.writeText(text);
    } catch {
      return;
    }
    setDone(true);
    setTimeout(() => setDone(false), 1500);
  };
  return (
    <button
      type="button"
      class="button small plain"
      onClick={() => void copy()}
      aria-label={`Copy ${what}`}
      title={`Copy ${what}`}
    >
      {isDone ? 'Copied' : <Icon name="copy" />}
    </button>
  );
}

/** A moment: the time of day, and how long ago on closer look. */
export function When({ at }: { readonly at: string | number | null | undefined }): JSX.Element {
  if (at === null || at === undefined) return <span class="quiet">never</span>;
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return <span>{String(at)}</span>;
  return (
    <time dateTime={date.toISOString()} title={`${date.toISOString()}, ${ago(at)}`}>
      {clock(at)}
    </time>
  );
}

/** A name and what it has; what is not there is left out. */
export type Fact = readonly [name: string, value: ComponentChildren];

/** Names and what they have, line by line. */
export function Facts({ facts }: { readonly facts: readonly Fact[] }): JSX.Element {
  return (
    <dl class="facts">
      {facts
        .filter(([, value]) => value !== undefined && value !== null && value !== '' && value !== false)
        .map(([name, value]) => [<dt key={name}>{name}</dt>, <dd key={`${name} value`}>{value}</dd>])}
    </dl>
  );
}

/** Numbers that are looked at first. */
export function Figures({ figures }: { readonly figures: readonly Figure[] }): JSX.Element {
  return (
    <dl class="figures">
      {figures.map(({ title, value, unit, note, tone }) => (
        <div key={title + (unit ?? '')}>
          <dt>{title}</dt>
          <dd class={tone && `${tone}-text`}>
            {value}
            {unit !== undefined && <small>{unit}</small>}
          </dd>
          {note !== undefined && <dd class="note">{note}</dd>}
        </div>
      ))}
    </dl>
  );
}

/** One of {@link Figures}. */
export interface Figure {
  readonly title: string;
  readonly value: ComponentChildren;
  readonly unit?: string;
  /** Below it. */
  readonly note?: string;
  readonly tone?: 'good' | 'warn' | 'bad';
}

/** A share as a bar, beside the number that says the same. */
export function Bar({ share, tone = '' }: { readonly share: number; readonly tone?: string }): JSX.Element {
  return (
    <span class={`bar ${tone}`} aria-hidden="true">
      <i style={{ width: `${Math.round(Math.min(1, share) * 100)}%` }} />
    </span>
  );
}

/** A choice of a few, each with an address. */
export function Choice({
  label,
  options,
  current,
  hrefOf,
}: {
  readonly label: string;
  readonly options: readonly (readonly [key: string, title: string])[];
  readonly current: string;
  hrefOf(key: string): string;
}): JSX.Element {
  return (
    <span class="group" role="group" aria-label={label}>
      {options.map(([key, title]) => (
        <a
          key={key}
          class="button small"
          href={hrefOf(key)}
          aria-current={key === current ? 'true' : undefined}
        >
          {title}
        </a>
      ))}
    </span>
  );
}
