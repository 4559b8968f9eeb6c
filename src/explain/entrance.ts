import type { Exchange } from '../exchange/exchange.ts';
import { Problem } from '../problems/problem.ts';
import { toProblem } from '../problems/render-problem.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import type { ExplainedStep } from './explanation.ts';
import { refusalOf } from './refusal.ts';

const CONTRADICTION = 'Forwarded and X-Forwarded-For do not name the same client, or cannot be read.';

/** What a request meets before a route is looked for, in that order; nothing is counted. The last step may refuse. */
export function explainEntrance(exchange: Exchange, { edge }: Snapshot): readonly ExplainedStep[] {
  const steps: ExplainedStep[] = [];
  if (edge.connections !== undefined) steps.push(connectionsOf(exchange, edge));
  if (exchange.addressDoubt === 'contradiction')
    return [...steps, refuses('trustedProxies', new Problem('request-malformed', { detail: CONTRADICTION }))];
  if (edge.flood !== undefined) {
    const waitMs = edge.flood.wouldWaitMs(exchange.clientAddress);
    const why = `client = ${exchange.clientAddress}`;
    if (waitMs > 0) return [...steps, refuses('floodLimit', new Problem('rate-limited'))];
    steps.push({ step: 'floodLimit', does: 'passes', why });
  }
  for (const stage of edge.entrance) {
    try {
      const { does, why } = stage.explain?.(exchange, undefined) ?? { does: 'depends', why: undefined };
      steps.push({ step: 'entrance', does, why });
    } catch (error) {
      return [...steps, refuses('entrance', toProblem(error))];
    }
  }
  return steps;
}

// Decided when the connection was opened, and nobody has opened one.
function connectionsOf(
  { request }: Exchange,
  { clientAddress, connections }: Snapshot['edge'],
): ExplainedStep {
  const step = 'connectionLimit';
  if (clientAddress.isTrusted(request.socket.remoteAddress ?? ''))
    return { step, does: 'passes', why: 'connections of trusted proxies are not counted' };
  const most = connections?.perAddress ?? Infinity;
  return { step, does: 'depends', why: `a connection more than ${most} of its address is closed at once` };
}

function refuses(step: string, problem: Problem): ExplainedStep {
  return { step, does: 'refuses', refuses: refusalOf(step, problem) };
}
