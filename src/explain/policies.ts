import type { Exchange } from '../exchange/exchange.ts';
import type { StageVerdict } from '../policies/explained-stage.ts';
import { policyList } from '../policies/order.ts';
import type { Policy } from '../policies/policy.ts';
import { toProblem } from '../problems/render-problem.ts';
import type { Route } from '../routing/route.ts';
import type { ExplainedPolicy } from './explanation.ts';
import { refusalOf } from './refusal.ts';

/** The level of what no policy of the route says, but its upstream, or the credential of the caller. */
const OF_UPSTREAM = 'upstream';
const OF_CALLER = 'caller';

/** What each policy of a route would do, in their order; `body` is that of the request, undefined without one. */
export function explainPolicies(
  exchange: Exchange,
  route: Route,
  body: Buffer | undefined,
): readonly ExplainedPolicy[] {
  const told: ExplainedPolicy[] = [];
  let isMet = true;
  for (const policy of policyList) {
    const one = explainPolicy(policy, exchange, route, body);
    if (one === undefined) continue;
    told.push({ ...one, isMet });
    if (one.does === 'refuses' || one.does === 'answers') isMet = false;
  }
  return told;
}

function explainPolicy(
  policy: Policy,
  exchange: Exchange,
  route: Route,
  body: Buffer | undefined,
): Omit<ExplainedPolicy, 'isMet'> | undefined {
  const { name } = policy;
  const stage = route.seats[name];
  const options: unknown = (route.policies as Readonly<Record<string, unknown>>)[name];
  const isOfCaller = options === undefined && stage?.concerns !== undefined;
  const isIdle = isOfCaller && stage.concerns?.(exchange) === false;
  const unsaid = isOfCaller ? OF_CALLER : OF_UPSTREAM;
  const from = route.levels[name] ?? (stage === undefined || isIdle ? undefined : unsaid);
  if (from === undefined) return undefined;
  if (options === undefined && (stage === undefined || isIdle))
    return { policy: name, from, says: 'off', does: 'off' };
  // A stage that no policy of the route wants does what its upstream needs.
  const says = options === undefined ? `as the ${unsaid} says` : policy.describe(options);
  const base = { policy: name, from: options === undefined ? unsaid : from, says };
  if (stage === undefined) return { ...base, does: 'passes', why: 'it has nothing to do here' };
  try {
    const verdict: StageVerdict = stage.explain?.(exchange, body) ?? {
      does: 'depends',
      why: 'it does not say what it would do',
    };
    const { facts = {} } = verdict;
    return { ...base, ...verdict, facts: Object.keys(facts).length === 0 ? undefined : facts };
  } catch (error) {
    return { ...base, does: 'refuses', refuses: refusalOf(name, toProblem(error)) };
  }
}
