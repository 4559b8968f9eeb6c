import { faultName, type SpanLog } from '../telemetry/span-log.ts';
import type { CallContext, ServedPart } from './call.ts';

/**
 * Makes a call, and takes note of it for a span: within the section or the resolver that makes it, else within the exchange. How
 * it was served is told where the call says so.
 */
export function tracedCall<Out>(
  spans: SpanLog,
  name: string,
  context: CallContext,
  make: (context: CallContext) => Promise<Out>,
): Promise<Out> {
  const parent = context.span ?? spans.placeOf?.();
  const span = spans.begin('call', name, parent);
  if (span === undefined) return make(context);
  let source = 'ok';
  const served = (part: ServedPart): void => {
    if (part.source !== 'upstream') ({ source } = part);
    context.served?.(part);
  };
  // Who asks to be told is told; a call without a listener needs none made of it.
  const answer = make({ ...context, span, served: context.served === undefined ? undefined : served });
  const end = (outcome: string, isFault: boolean): void => {
    span.end(outcome, isFault);
    // It lasts as long as what it calls.
    if (parent?.sort === 'resolver') parent.end('ok', false);
  };
  answer.then(
    () => end(source, false),
    (error: unknown) => end(faultName(error), true),
  );
  return answer;
}
