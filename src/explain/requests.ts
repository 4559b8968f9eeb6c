import type { Exchange } from '../exchange/exchange.ts';
import type { Foreseen, ForeseenRequest, ForeseenSide } from '../routing/foreseen.ts';
import type { ExplainedRequest, SentOn } from './explanation.ts';
import { shownJson, shownTarget, shownValue } from './hidden.ts';
import { explainUpstream } from './targets.ts';

/** The requests that would be made, and at whom. @throws {Problem} what would be answered in place of the first one. */
export function explainRequests({ requests, side }: Foreseen, exchange: Exchange): ExplainedRequest[] {
  return requests.map((request, index) => explainRequest(request, exchange, index === 0 ? side : undefined));
}

function explainRequest(
  { name, note, upstream, headFor, body, answerField }: ForeseenRequest,
  exchange: Exchange,
  side: ForeseenSide | undefined,
): ExplainedRequest {
  // Somebody has to be asked for its head to be told; whose turn it is makes no difference to most heads.
  const picked = upstream?.peek(exchange) ?? upstream?.targets.find(({ available }) => available);
  const to = picked ?? upstream?.targets[0];
  const isTold = headFor !== undefined && (upstream === undefined || to !== undefined);
  const shown = body && { bytes: body.bytes.length, as: body.as, json: shownJson(body.bytes) };
  const sent = isTold ? { to: to?.host, ...readHead(headFor(to)), body: shown } : undefined;
  return { name, note, upstream: upstream && explainUpstream(upstream, exchange, side), sent, answerField };
}

function readHead(head: string): Pick<SentOn, 'line' | 'headers'> {
  const [line = '', ...fields] = head.split('\r\n').filter((one) => one !== '');
  const [method = '', target = '', version = ''] = line.split(' ');
  const headers = fields.map((field) => {
    const colon = field.indexOf(':', 1);
    const [name, value] = [field.slice(0, colon), field.slice(colon + 1).trim()];
    return [name, shownValue(name, value)] as const;
  });
  return { line: `${method} ${shownTarget(target)} ${version}`, headers };
}
