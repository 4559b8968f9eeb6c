import { removeCookie } from '../../exchange/cookie-field.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { editHeaders, type HeaderEdits } from '../../policies/transform/header-edits.ts';
import { addTraceFields } from '../../telemetry/trace-context.ts';
import { toldTo } from '../identity/service-identity.ts';
import type { Upstream } from '../upstream.ts';
import { FieldNames } from './field-names.ts';
import { addProxyFields, type ProxyFields } from './proxy-fields.ts';

const names = new FieldNames();

/** What an upstream says of the fields that it gets. */
export type ToldUpstream = Pick<Upstream, 'name' | 'passedHeaders' | 'identity'>;

const MAX_FORWARDS = 'max-forwards';
const MOST_FORWARDS = 255;

/** Names, folded, of fields that may hold a secret. Fails closed: rather one too many is left out of a TRACE. */
const MAY_BE_SECRET = /auth|cookie|credential|key|pass|secret|session|signature|token/;

/** The names that a `Connection` header lists; those fields are hop-by-hop for this message too. */
export function connectionNames(value: string | undefined): ReadonlySet<string> | undefined {
  if (value === undefined || value === 'keep-alive' || value === 'close') return undefined;
  return new Set(value.split(',').map((name) => name.trim().toLowerCase()));
}

/**
 * Builds the fields that the upstream gets, as a flat list. First everything is removed that a client may not
 * say: hop-by-hop fields, those that `Connection` lists, the gateway's own fields, those of identity and forwarding, and
 * what services may take for their word, each in every spelling. Only then are ours added, so that no client can make
 * us drop them.
 *
 * A TRACE says nothing that its answer may not show (RFC 9110 section 9.3.8): no credential, nothing of ours about the
 * caller, and nothing that the route sets.
 *
 * @param upstream that gets them, and says which of them it gets.
 * @param fields what the route says of the way, where that is not as usual.
 */
export function outboundHeaders(
  exchange: Exchange,
  edits: HeaderEdits | undefined,
  upstream: ToldUpstream,
  fields?: ProxyFields,
): string[] {
  const { method } = exchange;
  const out = passedFields(exchange, edits, upstream);
  if (exchange.validators !== undefined) replaceConditions(out, exchange.validators);
  if (method === 'TRACE' || method === 'OPTIONS') countHop(out, exchange);
  addProxyFields(out, exchange, fields);
  if (method === 'TRACE') return out;
  addOwn(out, exchange, upstream);
  // Last, so that what the configuration sets or removes holds for the gateway's own fields too.
  if (edits !== undefined) editHeaders(out, edits);
  return out;
}

// What the client has of it is for the cache to say, which asks for itself.
function replaceConditions(out: string[], validators: readonly string[]): void {
  for (let i = out.length - 2; i >= 0; i -= 2)
    if (out[i] === 'if-none-match' || out[i] === 'if-modified-since') out.splice(i, 2);
  out.push(...validators);
}

/** What the upstream gets of the fields that the client has sent; of a TRACE without what may be a credential. */
export function passedFields(
  exchange: Exchange,
  edits: HeaderEdits | undefined,
  { name: upstream, passedHeaders, identity }: ToldUpstream,
): string[] {
  const raw = exchange.request.rawHeaders;
  const listed = connectionNames(exchange.request.headers.connection);
  const isTrace = exchange.method === 'TRACE';
  const { vouched } = exchange;
  const own = exchange.snapshot?.own;
  const { route } = exchange;
  const rules = route?.fieldRules ?? identity?.rules;
  // Who else gets it, such as a mirror, gets no more than it says for itself.
  const others = route?.fieldRules === undefined || route.upstream === upstream ? undefined : identity?.rules;
  const out: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const { lower, folded, fate } = names.of(raw[i] as string);
    if (fate !== 'pass' && !mayPass(fate, exchange, passedHeaders?.has(lower))) continue;
    if (listed?.has(lower) || isGatewayKey(lower, raw[i + 1] as string)) continue;
    // What the route sets, removes or renames is not the client's to say in another spelling either.
    if (edits?.folded.has(folded) === true && edits.renames?.has(lower) !== true) continue;
    if (vouched !== undefined && vouched.folded.has(folded)) continue;
    if (rules !== undefined && !(rules.takes(lower) && others?.takes(lower) !== false)) continue;
    if (own !== undefined && own.names.size > 0 && own.names.has(folded)) continue;
    if (lower === 'authorization' && exchange.principal?.bearer !== undefined) continue;
    if (isTrace && MAY_BE_SECRET.test(folded)) continue;
    out.push(lower, raw[i + 1] as string);
  }
  // Between clients and the gateway, each of them.
  if (own !== undefined && own.cookies.length > 0 && exchange.request.headers.cookie !== undefined)
    for (const name of own.cookies) removeCookie(out, name);
  return out;
}

function mayPass(
  fate: 'claim' | 'proof' | 'kept',
  { principal }: Exchange,
  isListed: boolean | undefined,
): boolean {
  return fate === 'proof' ? principal === undefined : fate === 'claim' && isListed === true;
}

/** One hop less (RFC 9110 section 7.6.2); that there is one left was looked at before. */
function countHop(out: string[], { request }: Exchange): void {
  const hops = request.headers['max-forwards'];
  if (hops === undefined) return;
  for (let i = out.length - 2; i >= 0; i -= 2) if (out[i] === MAX_FORWARDS) out.splice(i, 2);
  out.push(MAX_FORWARDS, String(Math.min(Number(hops) - 1, MOST_FORWARDS)));
}

// An API key is a secret between the client and the gateway; a bearer token may be meant for the service too.
function isGatewayKey(name: string, value: string): boolean {
  return name === 'authorization' && /^apikey\s/i.test(value);
}

function addOwn(out: string[], exchange: Exchange, upstream: ToldUpstream): void {
  out.push('x-request-id', exchange.id);
  addTraceFields(out, exchange.trace);
  if (exchange.deadlineAt !== Infinity) {
    out.push('x-request-deadline-ms', String(Math.floor(exchange.remainingMs())));
  }
  // Who else gets it, such as a mirror, may want no token of a session.
  if (exchange.principal !== undefined)
    out.push(...toldTo(upstream, exchange.principal, exchange.route?.upstream === upstream.name));
  if (exchange.vouched !== undefined) out.push(...exchange.vouched.fields);
}
