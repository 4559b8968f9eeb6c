import { nearestName } from '../config/nearest-name.ts';
import type { Call, DeclaredCall } from './call.ts';

/** The upstreams of a configuration, as far as calls have to know them. */
export type KnownUpstreams = Readonly<Record<string, { readonly protocol: string }>>;

/**
 * Looks whether a configuration has what calls are made to.
 *
 * @param where who makes them, for the messages.
 * @returns a message for each that can never be made: its upstream is missing, or speaks another protocol.
 */
export function callFaults(
  where: string,
  calls: readonly Call<never, unknown>[],
  upstreams: KnownUpstreams,
): readonly string[] {
  return [...new Set(calls)].flatMap((call) => {
    const fault = faultOf(call, upstreams);
    return fault === undefined ? [] : [`${where}: the call ${call.name} ${fault}`];
  });
}

function faultOf(call: Call<never, unknown>, upstreams: KnownUpstreams): string | undefined {
  const { upstream, description } = call as Call<never, unknown> & Partial<DeclaredCall<never, unknown>>;
  const known = Object.hasOwn(upstreams, upstream) ? upstreams[upstream] : undefined;
  if (known === undefined) {
    const nearest = nearestName(upstream, Object.keys(upstreams));
    const hint = nearest === undefined ? '' : `; did you mean "${nearest}"?`;
    return `needs the upstream "${upstream}", which is not configured${hint}`;
  }
  if (description === undefined || description.protocol === known.protocol) return undefined;
  return `speaks ${description.protocol}, but the upstream "${upstream}" speaks ${known.protocol}`;
}
