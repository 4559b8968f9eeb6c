import { preflightMethod } from '../exchange/preflight.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { partitionOf } from '../exchange/principal.ts';
import { toProblem } from '../problems/render-problem.ts';
import type { Foreseen } from '../routing/foreseen.ts';
import type { Route } from '../routing/route.ts';
import { whyNot } from '../routing/why-not.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { askedExchange } from './asked-exchange.ts';
import { explainEntrance } from './entrance.ts';
import { principalOf, type ExplainInput } from './explain.schema.ts';
import type { ExplainedMatch, Explanation, NamedRoute, Refusal } from './explanation.ts';
import { handlerCalls } from './handler-calls.ts';
import { secretsOf, shownTarget, without } from './hidden.ts';
import { explainPolicies } from './policies.ts';
import { refusalOf } from './refusal.ts';
import { explainRequests } from './requests.ts';
import { explainUpstream, nobodyAt } from './targets.ts';

/**
 * Tells what would become of a request under a configuration: of one that is in force with the state of its targets, of
 * one that was only compiled as at its start. It only looks: no token is taken, nothing stored is changed, nothing is sent,
 * and no breaker, balancer or counter notices.
 *
 * @throws {ExplainFault} for what is no request.
 */
export async function explain(input: ExplainInput, snapshot: Snapshot): Promise<Explanation> {
  const exchange = askedExchange(input, snapshot);
  const { config, match, ...told } = await explained(exchange, input, snapshot);
  const secrets = secretsOf(exchange);
  // Names of the configuration stay, whatever a client sends; what it calls a secret may stand in its path.
  return { config, match: { ...match, params: without(match.params, secrets) }, ...without(told, secrets) };
}

async function explained(exchange: Exchange, input: ExplainInput, snapshot: Snapshot): Promise<Explanation> {
  const { route, refused } = matched(exchange, snapshot);
  exchange.principal = input.as === undefined ? undefined : principalOf(input.as);
  const { method, path, query, host, clientAddress: client, principal } = exchange;
  const caller = principal && partitionOf(principal);
  const about = {
    config: snapshot.source.document.file,
    request: { method, target: shownTarget(path + query), host, client, caller },
    entrance: explainEntrance(exchange, snapshot),
    match: explainMatch(exchange, snapshot, route),
  };
  const stopped = about.entrance.at(-1)?.refuses;
  // Nothing behind it would be met.
  if (stopped !== undefined) return { ...about, policies: [], requests: [], refused: stopped };
  if (route === undefined) return { ...about, policies: [], requests: [], refused };
  const body = input.body === undefined ? undefined : Buffer.from(input.body);
  const policies = explainPolicies(exchange, route, body);
  const action = { kind: route.action.kind, of: route.upstream ?? route.action.target };
  const end = policies.find(({ does }) => does === 'refuses' || does === 'answers');
  if (end === undefined) return { ...about, policies, action, ...(await foreseen(exchange, route, body)) };
  const answered = end.does === 'answers' ? { by: end.policy, what: end.why ?? '' } : undefined;
  const upstream = route.upstream === undefined ? undefined : snapshot.upstreams.find(route.upstream);
  const note = `not asked: ${end.policy} ${end.does}`;
  // Who wonders about a refusal wants to see the targets all the same.
  const requests = upstream ? [{ note, upstream: explainUpstream(upstream, exchange) }] : [];
  return { ...about, policies, action, refused: end.refuses, answered, requests };
}

function matched(
  exchange: Exchange,
  { table }: Snapshot,
): { readonly route?: Route | undefined; readonly refused?: Refusal } {
  const method = preflightMethod(exchange.request);
  const routes = method === undefined ? [] : table.preflightRoutes(exchange, method);
  const route = routes.find(({ preflight }) => preflight.length > 0);
  if (route !== undefined) {
    exchange.route = route;
    exchange.preflighted = routes;
    return { route };
  }
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

function nameOf({ id, match, pattern, origin, team }: Route): NamedRoute {
  const methods = match.methods.join(',') || '*';
  return { id, methods, path: pattern.source, origin, ...(team !== undefined && { team }) };
}

/** What follows when all policies let it pass. */
async function foreseen(
  exchange: Exchange,
  route: Route,
  body: Buffer | undefined,
): Promise<Pick<Explanation, 'refused' | 'answered' | 'untold' | 'side' | 'requests'>> {
  const { kind } = route.action;
  try {
    const told = await foreseenOf(exchange, route, body);
    const side = told.side && { name: told.side.name, why: told.side.why };
    const answered = told.answer === undefined ? undefined : { by: kind, what: shownTarget(told.answer) };
    const requests = explainRequests(told, exchange);
    const first = told.requests[0];
    // A call of several may fail, and others answer.
    const nobody =
      first?.name === undefined ? first?.upstream && nobodyAt(first.upstream, exchange) : undefined;
    return { refused: nobody && refusalOf('balance', nobody), answered, untold: told.untold, side, requests };
  } catch (error) {
    return { refused: refusalOf(kind, toProblem(error)), requests: [] };
  }
}

async function foreseenOf(exchange: Exchange, route: Route, body: Buffer | undefined): Promise<Foreseen> {
  const { action, door } = route;
  const told = await action.foresee?.(exchange, route, body);
  const { snapshot } = exchange;
  if (door === 'proxy' || snapshot === undefined)
    return told ?? { untold: 'only who answers knows', requests: [] };
  const calls = handlerCalls(exchange, route, snapshot.upstreams);
  return { ...calls, ...(told?.untold !== undefined && { untold: told.untold }) };
}
