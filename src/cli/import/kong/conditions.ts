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
const WEB: ReadonlySet<string> = new Set(['http', 'https', 'ws', 'wss']);

/** What a route of Kong asks of a request besides its path. */
export interface Conditions {
  readonly match: Section;
  readonly rest: Section;
  readonly closed?: string;
}

/** Reads them; undefined for a route that takes nothing which could be forwarded. */
export function conditionsOf(source: Source): Conditions | undefined {
  const methods = methodsOf(source);
  const hosts = hostsOf(source);
  const protocols = protocolsOf(source);
  // Fails closed: without the condition the route would take more than it should.
  const isNarrow = [methods, hosts].some((list) => list?.length === 0);
  if (isNarrow || protocols === undefined || source.has('expression')) {
    source.note(
      'left',
      'nothing that it takes can be said here; its requests go to whichever other route takes them',
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

function protocolsOf(source: Source): Pick<Conditions, 'rest' | 'closed'> | undefined {
  const protocols = source.get('protocols', texts) ?? ['http', 'https'];
  const web = protocols.filter((protocol) => WEB.has(protocol));
  const hasSockets = web.some((protocol) => protocol.startsWith('ws'));
  const rest = hasSockets ? { webSocket: 'on' } : {};
  if (protocols.some((protocol) => protocol.startsWith('grpc'))) {
    source.note(
      'closed',
      'calls of gRPC want `passGrpc`, written by hand; see docs/passing-grpc.md',
      'protocols',
    );
    return { rest, closed: 'it forwards gRPC' };
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
