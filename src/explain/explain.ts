import type { Exchange } from '../exchange/exchange.ts';
import { policyList } from '../policies/order.ts';
import type { Problem } from '../problems/problem.ts';
import { toProblem } from '../problems/render-problem.ts';
import type { Route } from '../routing/route.ts';
import { whyNot } from '../routing/why-not.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import type { Target } from '../upstreams/target.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import { askedExchange } from './asked-exchange.ts';
import { principalOf, type ExplainInput } from './explain.schema.ts';
import type {
  ExplainedMatch,
  ExplainedPolicy,
  Explanation,
  NamedRoute,
  Refusal,
  SentOn,
} from './explanation.ts';
import { shownTarget, shownValue } from './hidden.ts';
import { explainUpstream } from './targets.ts';

/**
 * Tells what would become of a request under a configuration: of one that is in force with the state of its targets, of
 * one that was only compiled as at its start. It only looks: no token is taken, nothing stored is read or written, nothing
 * is sent, and no breaker or balancer notices.
 *
 * @throws {ExplainFault} for what is no request.
 */
export function explain(input: ExplainInput, snapshot: Snapshot): Explanation {
  const exchange = askedExchange(input, snapshot);
  const { route, refused } = matched(exchange, snapshot);
  const about = {
    config: snapshot.source.document.file,
    request: {
      method: exchange.method,
      target: shownTarget(exchange.path + exchange.query),
      host: exchange.host,
      client: exchange.clientAddress,
    },
    match: explainMatch(exchange, snapshot, route),
  };
  if (route === undefined) return { ...about, policies: [], refused };
  exchange.principal = input.as === undefined ? undefined : Object.freeze(principalOf(input.as));
  const policies = explainPolicies(exchange, route);
  const { action } = route;
  const named = { kind: action.kind, of: route.upstream ?? action.target };
  const first = policies.find((policy) => policy.refuses !== undefined)?.refuses;
  const upstream = route.upstream === undefined ? undefined : snapshot.upstreams.find(route.upstream);
  const picked = upstream?.peek(exchange) ?? upstream?.targets.find(({ available }) => available);
  const head = first === undefined ? foreseen(input, { exchange, route, upstream, picked }) : undefined;
  return {
    ...about,
    policies,
    refused: first ?? (head !== undefined && 'status' in head ? head : undefined),
    action: named,
    upstream: upstream && explainUpstream(upstream, exchange),
    sent: head !== undefined && 'line' in head ? head : undefined,
  };
}

function matched(
  exchange: Exchange,
  { table }: Snapshot,
): { readonly route?: Route; readonly refused?: Refusal } {
  try {
    return { route: table.match(exchange) };
  } catch (error) {
    return { refused: refusalOf('match', toProblem(error)) };
  }
}

function explainMatch(exchange: Exchange, { table }: Snapshot, route: Route | undefined): ExplainedMatch {
  const { candidates, others } = whyNot(exchange, table.routes, route);
  const params = (route?.pattern.parameters ?? []).map((name, index) => [name, exchange.params[index] ?? '']);
  return {
    route: route && nameOf(route),
    params: Object.fromEntries(params) as Record<string, string>,
    candidates: candidates.map((one) => ({ ...nameOf(one.route), why: one.why })),
    others,
  };
}

function nameOf({ id, match, pattern, origin }: Route): NamedRoute {
  return { id, methods: match.methods.join(',') || '*', path: pattern.source, origin };
}

/** What each policy says, in their order; those that only a body or an answer meets have nothing else to tell. */
function explainPolicies(exchange: Exchange, route: Route): readonly ExplainedPolicy[] {
  return policyList.flatMap((policy): ExplainedPolicy[] => {
    const { name } = policy;
    const from = route.levels[name];
    if (from === undefined) return [];
    const options: unknown = (route.policies as Readonly<Record<string, unknown>>)[name];
    if (options === undefined) return [{ policy: name, from, says: 'off' }];
    const base = { policy: name, from, says: policy.describe(options) };
    try {
      const facts = route.seats[name]?.explain?.(exchange) ?? undefined;
      return [{ ...base, facts }];
    } catch (error) {
      return [{ ...base, refuses: refusalOf(name, toProblem(error)) }];
    }
  });
}

interface Foreseeing {
  readonly exchange: Exchange;
  readonly route: Route;
  readonly upstream: Upstream | undefined;
  readonly picked: Target | undefined;
}

/** What would be sent on, or what would be answered in its place; undefined for what cannot be told before. */
function foreseen({ body }: ExplainInput, about: Foreseeing): SentOn | Refusal | undefined {
  const { exchange, route, upstream } = about;
  // Somebody has to be asked for its head to be told; whose turn it is makes no difference to most heads.
  const picked = about.picked ?? upstream?.targets[0];
  if (upstream === undefined || picked === undefined || route.action.foresee === undefined) return undefined;
  const bytes = body === undefined ? null : Buffer.from(body);
  try {
    const head = route.action.foresee(exchange, bytes).headFor(picked);
    return { ...readHead(head), to: picked.host, bodyBytes: bytes?.length ?? 0 };
  } catch (error) {
    return refusalOf(route.action.kind, toProblem(error));
  }
}

function readHead(head: string): Pick<SentOn, 'line' | 'headers'> {
  const [line = '', ...fields] = head.split('\r\n').filter((one) => one !== '');
  const [method = '', target = '', version = ''] = line.split(' ');
  const headers = fields.map((field) => {
    const colon = field.indexOf(':');
    const [name, value] = [field.slice(0, colon), field.slice(colon + 1).trim()];
    return [name, shownValue(name, value)] as const;
  });
  return { line: `${method} ${shownTarget(target)} ${version}`, headers };
}

function refusalOf(by: string, { status, code, message, by: place }: Problem): Refusal {
  return { by: place === undefined ? by : `${by} ${place}`, status, code, detail: message };
}
