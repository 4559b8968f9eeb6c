import type { ComponentChildren, JSX } from 'preact';
import { useId } from 'preact/hooks';

interface PanelProps {
  readonly title: string;
  /** Beside the title, quietly: the window, how many. */
  readonly note?: ComponentChildren;
  readonly actions?: ComponentChildren;
  /** Whether it has a margin of its own inside; tables have none. */
  readonly padded?: boolean;
  readonly children: ComponentChildren;
}

/** A part of a page with a heading. */
export function Panel({ title, note, actions, padded, children }: PanelProps): JSX.Element {
  const id = useId();
  return (
    <section class="panel" aria-labelledby={id}>
      <header>
        <h2 id={id}>{title}</h2>
        {note !== undefined && <span class="quiet">{note}</span>}
        {actions !== undefined && <div class="actions">{actions}</div>}
      </header>
      {padded ? <div class="body">{children}</div> : children}
    </section>
  );
}

interface HeadProps {
  readonly title: string;
  /** The pages above: what they are called, and where they are. */
  readonly above?: readonly (readonly [title: string, href: string])[];
  /** Beside the title: state, copy. */
  readonly beside?: ComponentChildren;
  readonly actions?: ComponentChildren;
}

/** The head of a page. */
export function Head({ title, above, beside, actions }: HeadProps): JSX.Element {
  return (
    <div class="head">
      {above && (
        <nav class="crumbs" aria-label="Above">
          <ol>
            {above.map(([name, href]) => (
              <li key={href}>
                <a href={href}>{name}</a>
              </li>
            ))}
          </ol>
        </nav>
      )}
      <h1>{title}</h1>
      {beside}
      {actions !== undefined && <div class="actions">{actions}</div>}
    </div>
  );
}

/** Tabs of a page, each with an address of its own. */
export function Tabs({
  tabs,
  current,
  hrefOf,
}: {
  readonly tabs: readonly (readonly [key: string, title: string])[];
  readonly current: string;
  hrefOf(key: string): string;
}): JSX.Element {
  return (
    <nav class="tabs" aria-label="Parts of this page">
      {tabs.map(([key, title]) => (
        <a key={key} href={hrefOf(key)} aria-current={key === current ? 'page' : undefined}>
          {title}
        </a>
      ))}
    </nav>
  );
}
