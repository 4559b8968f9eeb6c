import type { IncomingMessage } from 'node:http';

const ABSOLUTE = /^(https?):\/\/([^/?#\\]*)([/?].*)?$/i;

/**
 * Labels with a dot between them and perhaps one at the end, or an address. Nothing encoded and no empty label: a name in
 * another spelling would get past the routes of its host to those of all hosts.
 */
const SANE_HOST =
  /^(?:[A-Za-z0-9_~!$&'()*+,;=-]+(?:\.[A-Za-z0-9_~!$&'()*+,;=-]+)*\.?|\[[0-9A-Fa-f:.]+\])(?::\d{0,5})?$/;

/** A request target in absolute form (RFC 9112 section 3.2.2), taken apart. */
export interface AbsoluteForm {
  readonly scheme: string;
  /** As it was sent; perhaps no host at all. */
  readonly authority: string;
  /** Path and query; empty where the target has neither. */
  readonly rest: string;
}

/** Reads a target in absolute form; undefined for any other, or one of a scheme that a gateway does not serve. */
export function absoluteForm(target: string): AbsoluteForm | undefined {
  const [, scheme, authority = '', rest = ''] = ABSOLUTE.exec(target) ?? [];
  return scheme === undefined ? undefined : { scheme: scheme.toLowerCase(), authority, rest };
}

/**
 * The target of a request in origin form. Of one in absolute form the host takes the place of what the `Host` field says, in
 * the parsed fields and in the lines (RFC 9112 section 3.2.2): whoever routes, limits, stores or forwards by the host of a
 * request hears that of the target, and no other.
 */
export function originForm(request: IncomingMessage): string {
  const target = request.url ?? '/';
  if (target.startsWith('/')) return target;
  const absolute = absoluteForm(target);
  if (absolute === undefined) return target;
  setHost(request, absolute.authority);
  return absolute.rest.startsWith('/') ? absolute.rest : `/${absolute.rest}`;
}

// Fails closed: a message whose own field is missing or broken is left as it is, and refused for that.
function setHost({ headers, rawHeaders, httpVersion }: IncomingMessage, authority: string): void {
  const { host } = headers;
  if (host === undefined && httpVersion !== '1.0') return;
  if (host !== undefined && host !== '' && !isSaneHost(host)) return;
  headers.host = authority;
  const line = rawHeaders.findIndex((name, i) => i % 2 === 0 && isHostName(name));
  if (line < 0) rawHeaders.push('Host', authority);
  else rawHeaders[line + 1] = authority;
}

/** Whether a text is a host, perhaps with a port, that nobody reads as another one. */
export function isSaneHost(text: string): boolean {
  return SANE_HOST.test(text);
}

/** Whether a header field is the `Host` of its request. */
export function isHostName(name: string): boolean {
  return name.length === 4 && name.toLowerCase() === 'host';
}

/** The host of a request in lower case, without port; empty for none. */
export function hostOf(header: string | undefined): string {
  if (header === undefined) return '';
  const end = header.startsWith('[') ? header.indexOf(']') + 1 : header.indexOf(':');
  const host = (end > 0 ? header.slice(0, end) : header).toLowerCase();
  // The root label may be written out; it is the same host.
  return host.endsWith('.') ? host.slice(0, -1) : host;
}
