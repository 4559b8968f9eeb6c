import type { IncomingMessage } from 'node:http';
import type { Exchange } from './exchange.ts';
import { settleLines } from './taken-lines.ts';

/** Where the API keys of clients are looked for, as one configuration says. */
export interface KeyPlaces {
  /** The header field, in lower case. */
  readonly header: string;
  /** The query parameter; undefined for none. */
  readonly query: string | undefined;
}

/** The field that everybody behind the open stage reads. */
export const KEY_FIELD = 'x-api-key';

/** The field that clients say it in: what an answer to them depends on. */
export function keyFieldOf({ snapshot }: Exchange): string {
  return snapshot?.edge.keyPlaces?.header ?? KEY_FIELD;
}

const lifted = new WeakSet<IncomingMessage>();

/** Whether the key of a request was a query parameter: any page can send one there, while it cannot fill in the field itself. */
export function isLiftedKey(request: IncomingMessage): boolean {
  return lifted.has(request);
}

/**
 * Puts the API key of a request where everybody looks for it, in {@link KEY_FIELD}, and takes it away from where it was: who
 * writes logs, explains, matches or forwards never sees it. What was said in several places, or several times, comes several
 * times, and is refused as that.
 */
export function liftKey(request: IncomingMessage, { header, query }: KeyPlaces): void {
  if (header !== KEY_FIELD) renameField(request, header);
  if (query !== undefined) liftParameter(request, query);
}

function renameField(request: IncomingMessage, header: string): void {
  const { headers, rawHeaders } = request;
  // Before the parsed fields are looked at, some of which are made of the raw ones.
  const value = headers[header];
  if (value === undefined && headers[KEY_FIELD] === undefined) return;
  settleLines(request);
  // Backwards, because what the client says under the usual name is taken out: it is not where keys are looked for.
  for (let i = rawHeaders.length - 2; i >= 0; i -= 2) {
    const name = (rawHeaders[i] as string).toLowerCase();
    if (name === KEY_FIELD) rawHeaders.splice(i, 2);
    else if (name === header) rawHeaders[i] = KEY_FIELD;
  }
  delete headers[KEY_FIELD];
  delete headers[header];
  if (value !== undefined) headers[KEY_FIELD] = String(value);
  const { headersDistinct: lines } = request;
  const own = lines[header];
  delete lines[header];
  if (own === undefined) delete lines[KEY_FIELD];
  else lines[KEY_FIELD] = own;
}

interface Targets {
  url?: string | undefined;
  /** As it was sent, where somebody has put it into its normal form. */
  originalUrl?: string | undefined;
}

function liftParameter(request: IncomingMessage, name: string): void {
  const targets: Targets = request;
  const found = takeParameter(targets.url ?? '', name);
  if (found === undefined) return;
  targets.url = found.target;
  if (targets.originalUrl !== undefined)
    targets.originalUrl = takeParameter(targets.originalUrl, name)?.target ?? found.target;
  lifted.add(request);
  for (const key of found.values) {
    const before = request.headers[KEY_FIELD];
    request.headers[KEY_FIELD] = before === undefined ? key : `${String(before)}, ${key}`;
    request.rawHeaders.push(KEY_FIELD, key);
  }
}

/** A target without a parameter, and the values of that; undefined where it is not there. */
export function takeParameter(
  target: string,
  name: string,
): { readonly target: string; readonly values: readonly string[] } | undefined {
  const start = target.indexOf('?');
  if (start < 0) return undefined;
  const values: string[] = [];
  const kept = target.slice(start + 1).split('&').filter((pair) => {
    const sign = pair.indexOf('=');
    const isKey = decoded(sign < 0 ? pair : pair.slice(0, sign)) === name;
    if (isKey) values.push(sign < 0 ? '' : decoded(pair.slice(sign + 1)));
    return !isKey;
  }); // prettier-ignore
  if (values.length === 0) return undefined;
  const rest = kept.length === 0 ? '' : `?${kept.join('&')}`;
  return { target: target.slice(0, start) + rest, values };
}

// What is no text stays as it is, and is no key.
function decoded(text: string): string {
  if (!text.includes('%') && !text.includes('+')) return text;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}
