import type { JSX } from 'preact';

/** Strokes on a field of 16 by 16. */
const PATHS = {
  overview: 'M2.5 8.5h3l2-5 2.5 9 2-4h1.5',
  routes: 'M2.5 4h4l3 8h4M11.5 10l2 2-2 2M2.5 12h2',
  upstreams: 'M2.5 3h11v4h-11zM2.5 9h11v4h-11zM5 5h.01M5 11h.01',
  graphql: 'M8 1.8l5.4 3.1v6.2L8 14.2l-5.4-3.1V4.9zM8 1.8L2.6 11.1h10.8z',
  limits: 'M2.5 11.5a5.5 5.5 0 1111 0M8 11.5l2.5-4',
  canaries: 'M5 2v12M5 9c0-3 6-2 6-5.5M9 5l2-2.5L13 5',
  config: 'M4 1.8h5.5L12.5 5v9.2H4zM6.5 8h3.5M6.5 11h3.5',
  explain: 'M8 14a6 6 0 100-12 6 6 0 000 12zM6.3 6.3c0-2.2 3.5-2.1 3.5.1 0 1.4-1.8 1.5-1.8 2.8M8 11.4h.01',
  access: 'M5.5 10.5a3 3 0 112.6-4.5h5.4v2.6h-1.6v1.8H9.6V8.9',
  changes: 'M8 14A6 6 0 108 2a6 6 0 000 12zM8 4.8V8l2.3 1.6',
  process: 'M4 4h8v8H4zM6.5 1.8V4M9.5 1.8V4M6.5 12v2.2M9.5 12v2.2M1.8 6.5H4M1.8 9.5H4M12 6.5h2.2M12 9.5h2.2',
  requests: 'M2.5 4h11M2.5 8h11M2.5 12h7',
  search: 'M7 12A5 5 0 107 2a5 5 0 000 10zM10.8 10.8L14 14',
  good: 'M8 14A6 6 0 108 2a6 6 0 000 12zM5.3 8.2l1.9 1.9 3.6-4',
  warn: 'M8 2.2L14.3 13H1.7zM8 6.5v3M8 11.3h.01',
  bad: 'M5.4 2h5.2L14 5.4v5.2L10.6 14H5.4L2 10.6V5.4zM6 6l4 4M10 6l-4 4',
  idle: 'M8 14A6 6 0 108 2a6 6 0 000 12zM5.5 8h5',
  info: 'M8 14A6 6 0 108 2a6 6 0 000 12zM8 7.3v3.5M8 5.2h.01',
  up: 'M8 12.5v-9M4.5 7L8 3.5 11.5 7',
  down: 'M8 3.5v9M4.5 9L8 12.5 11.5 9',
  menu: 'M2.5 4.5h11M2.5 8h11M2.5 11.5h11',
  copy: 'M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3',
  theme: 'M8 14A6 6 0 108 2a6 6 0 000 12zM8 2v12M10 3.5v9M12 5.5v5',
  pause: 'M5.5 3.5v9M10.5 3.5v9',
  play: 'M5 3l7.5 5L5 13z',
  table: 'M2.5 3h11v10h-11zM2.5 6.5h11M6.5 6.5V13',
  leave: 'M6.5 2.5h-4v11h4M10 5l3 3-3 3M13 8H6',
} as const;

/** The name of an icon. */
export type IconName = keyof typeof PATHS;

/** An icon; what it means stands beside it in words, or in a label. */
export function Icon({ name }: { readonly name: IconName }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
