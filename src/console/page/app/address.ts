import { storeOf, useStore } from '../data/store.ts';

/** What the address says: everything that a view depends on, so that it can be sent to a colleague. */
export interface Address {
  /** Segments below the console, decoded. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
}

/** Parts of a query; `undefined` and `''` are left out. */
export type QueryParts = Readonly<Record<string, string | number | undefined>>;

/** Reads an address below a base, such as `/console/`. */
export function readAddress(pathname: string, search: string, base: string): Address {
  const below = pathname.startsWith(base) ? pathname.slice(base.length) : '';
  const path = below.split('/').filter((segment) => segment !== '');
  return { path: path.map(decoded), query: new URLSearchParams(search) };
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** The query of an address with some parts replaced. */
export function queryText(parts: QueryParts, query = new URLSearchParams()): string {
  const all = new URLSearchParams(query);
  for (const [name, value] of Object.entries(parts)) {
    if (value === undefined || value === '') all.delete(name);
    else all.set(name, String(value));
  }
  const text = all.toString();
  return text === '' ? '' : `?${text}`;
}

/** Segments as a path, each encoded. */
export function pathText(segments: readonly string[]): string {
  return segments.map(encodeURIComponent).join('/');
}

// The server writes a relative base; made absolute before the first change of the address, which would move it.
const here = globalThis.document === undefined ? 'http://localhost/console/' : document.baseURI;
const base = new URL('.', here);
if (globalThis.document !== undefined) document.querySelector('base')?.setAttribute('href', base.href);

/** Where the operators' listener is, as seen from here: `/`, or a prefix. */
export const ROOT = new URL('..', base).pathname;

const current = (): Address => readAddress(location.pathname, location.search, base.pathname);
const address = storeOf<Address>(
  globalThis.location === undefined ? { path: [], query: new URLSearchParams() } : current(),
);

/** The address; draws again when it changes. */
export const useAddress = (): Address => useStore(address);

/** The part of the query that says whose numbers are shown, where several processes serve. */
export const WORKER = 'worker';

/** Which process is asked, of several that serve; undefined for the one that the listener takes. */
export function askedWorker(): string | undefined {
  const worker = address.value.query.get(WORKER) ?? '';
  return /^\d{1,4}$/.test(worker) ? worker : undefined;
}

/** The href of a page of the console. It stays with the process that is asked. */
export function hrefTo(segments: readonly string[], query: QueryParts = {}): string {
  return base.pathname + pathText(segments) + queryText({ ...query, [WORKER]: askedWorker() });
}

/** The href of what the listener names below the console: `upstreams/users?target=…`. */
export function hrefBelow(below: string): string {
  const [path = '', query] = below.replace(/^\/?(console\/)?/, '').split('?');
  return base.pathname + path + queryText({ [WORKER]: askedWorker() }, new URLSearchParams(query));
}

/** The path of a page of the listener, of the process that is asked. */
export function pathAsked(path: string): string {
  const worker = askedWorker();
  return worker === undefined ? path : `${path}${path.includes('?') ? '&' : '?'}${WORKER}=${worker}`;
}

/** The href of the page that is shown, with parts of the query replaced. */
export function hrefWith(parts: QueryParts): string {
  const { path, query } = address.value;
  return base.pathname + pathText(path) + queryText(parts, query);
}

/** Goes to an href of the console. */
export function go(href: string, how: 'push' | 'replace' = 'push'): void {
  history[how === 'push' ? 'pushState' : 'replaceState'](null, '', href);
  address.set(current());
}

/** Follows links of the console without loading the page again. */
export function followLinks(): void {
  addEventListener('popstate', () => address.set(current()));
  document.addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    const href = link?.getAttribute('href') ?? '';
    const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey;
    if (link === null || !isPlain || !href.startsWith(base.pathname) || link.hasAttribute('download')) return;
    event.preventDefault();
    const isOther = new URL(href, location.href).pathname !== location.pathname;
    go(href);
    if (isOther) atTop();
  });
}

// Whoever reads by ear is told of another page as a load would tell.
function atTop(): void {
  scrollTo(0, 0);
  document.querySelector<HTMLElement>('main')?.focus();
}
