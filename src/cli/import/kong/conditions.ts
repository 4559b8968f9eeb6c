import type { Section } from '../draft.ts';
import type { Source } from '../source.ts';
import { texts } from './plugin.ts';

const METHODS: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'TRACE',
]);
const HOST = /^(\*\.)?[a-z0-9.-]+$/;
/** What an expression may ask is more than a match can say, and half of it would take too much or too little. */
const EXPRESSION =
  'an expression of the router has no equivalent: write its route by hand; its requests go to whichever other route takes them';
const WEB: ReadonlySet<string> = new Set(['http', 'https', 'ws', 'wss']);

/** What a route of Kong asks of a request besides its path. */
export interface Conditions {
  readonly match: Section;
  readonly rest: Section;
  readonly closed?: string;
}

/**
 * Reads them.
 *
 * @param isGrpc whether its service speaks gRPC.
 * @returns undefined for a route that takes nothing which could be forwarded.
 */
export function conditionsOf(source: Source, isGrpc: boolean): Conditions | undefined {
  // Every call of gRPC is a POST; what a route says besides is reported as unread.
  const methods = isGrpc ? undefined : methodsOf(source);
  const hosts = hostsOf(source);
  const protocols = protocolsOf(source, isGrpc);
  // Fails closed: without the condition the route would take more than it should.
  const isNarrow = [methods, hosts].some((list) => list?.length === 0);
  const hasExpression = source.has('expression');
  if (isNarrow || protocols === undefined || hasExpression) {
    source.note(
      'left',
      hasExpression
        ? EXPRESSION
        : 'nothing that it takes can be said here; its requests go to whichever other route takes them',
      ...(hasExpression ? ['expression'] : []),
    );
    source.settle();
    return undefined;
  }
  const headers = headersOf(source);
  return {
    match: {
      ...(methods === undefined ? {} : { methods }),
      ...(hosts === undefined ? {} : { hosts }),
      ...(Object.keys(headers).length > 0 ? { headers } : {}),
    },
    ...protocols,
  };
}

function methodsOf(source: Source): string[] | undefined {
  const listed = source.get('methods', texts);
  if (listed === undefined || listed.length === 0) return undefined;
  const known = listed.filter((method) => METHODS.has(method));
  if (known.length < listed.length)
    source.note(
      'left',
      'a route can name the methods of RFC 9110 and PATCH; others only pass where it names none',
      'methods',
    );
  return known;
}

function hostsOf(source: Source): string[] | undefined {
  const key = (source.get('hosts', texts) ?? []).length > 0 ? 'hosts' : 'snis';
  const listed = source.get(key, texts);
  if (listed === undefined || listed.length === 0) return undefined;
  if (key === 'snis')
    source.note('differs', 'the host of the request is looked at, not that of the TLS handshake', 'snis');
  const plain = [...new Set(listed.map((host) => host.toLowerCase().replace(/:\d+$/, '')))];
  if (listed.some((host) => /:\d+$/.test(host))) source.note('differs', 'hosts match at every port', key);
  const known = plain.filter((host) => HOST.test(host));
  if (known.length < plain.length)
    source.note('left', 'a wildcard stands for labels in front, as in *.example.com', key);
  return known;
}

function protocolsOf(source: Source, isGrpc: boolean): Pick<Conditions, 'rest' | 'closed'> | undefined {
  const protocols = source.get('protocols', texts) ?? ['http', 'https'];
  const web = protocols.filter((protocol) => WEB.has(protocol));
  const hasSockets = web.some((protocol) => protocol.startsWith('ws'));
  const rest = hasSockets ? { webSocket: 'on' } : {};
  const takesGrpc = protocols.some((protocol) => protocol.startsWith('grpc'));
  if (takesGrpc !== isGrpc) {
    // Fails closed: what a service does with the other protocol is not known.
    const closed = isGrpc
      ? 'its service speaks gRPC, and it takes none'
      : 'it takes gRPC, and its service speaks none';
    source.note('closed', closed, 'protocols');
    return { rest, closed };
  }
  if (isGrpc) {
    if (web.length > 0) source.note('left', 'takes calls of gRPC and gRPC-Web alone', 'protocols');
    if (!protocols.includes('grpc'))
      source.note('differs', 'taken in the clear too where a listener has `http2: true`', 'protocols');
    return { rest: { passGrpc: true } };
  }
  if (web.length === 0) return undefined;
  if (!web.some((protocol) => protocol === 'http' || protocol === 'ws'))
    source.note(
      'differs',
      'taken in the clear too: send clients to HTTPS with `listeners[].redirectToHttps`',
      'protocols',
    );
  return { rest };
}

/** Kong compares values without their case. */
function headersOf(source: Source): Section {
  const headers: Section = {};
  for (const [name] of source.entries('headers')) {
    const values = source.at('headers')?.get(name, texts) ?? [];
    const [first = ''] = values;
    if (values.length === 1 && first.startsWith('~*')) {
      headers[name] = { regex: `(?i).*(?:${first.slice(2)}).*` };
    } else if (values.length === 1 && !/[A-Za-z]/.test(first)) headers[name] = first;
    else headers[name] = { regex: `(?i)(?:${values.map(escaped).join('|')})` };
  }
  return headers;
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.|?*+()[\]{}]/g, String.raw`\$&`);
}
