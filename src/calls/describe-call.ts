import type { CallPlan } from './call-plan.ts';
import type { CallDescription } from './call.ts';

/** Describes a call with the options that it was declared with. */
export function describeCall<In, Out>(
  call: Pick<CallDescription, 'name' | 'upstream' | 'protocol' | 'operation' | 'reads'>,
  plan: CallPlan<In, Out> | undefined,
): CallDescription {
  const { batch } = plan ?? {};
  return Object.freeze({
    ...call,
    memo: plan?.memo ?? false,
    share: plan?.share,
    cache: plan?.cache,
    batch: batch === undefined ? undefined : Object.freeze({ operation: batch.operation, max: batch.max }),
    concurrency: plan?.concurrency,
    fallback: plan?.fallback !== undefined,
  });
}
