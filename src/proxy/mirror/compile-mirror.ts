import { below } from '../../routing/below.ts';
import { ActionError, type ActionInput } from '../../routing/route-action.ts';
import type { UpstreamSource } from '../../upstreams/upstream-part.ts';
import { compileHost } from '../outbound-host.ts';
import { Mirror } from './mirror.ts';
import type { MirrorOptions } from './mirror.schema.ts';
import type { MirrorTally } from './mirror-tally.ts';

/** What a route says that its mirror goes by as well. */
export interface MirroredRoute {
  /** Where its requests go. */
  readonly original: UpstreamSource;
  /** The `host` of the route. */
  readonly host: string | undefined;
  readonly prefix: string | undefined;
  readonly tally: MirrorTally;
}

/** Makes the mirror of a route. @throws {ActionError} for the operator. */
export function compileMirror(options: MirrorOptions, input: ActionInput, route: MirroredRoute): Mirror {
  const { original, host, prefix, tally } = route;
  const place = ['mirror', 'upstream'];
  const upstream = input.named(options.upstream, place);
  // Its targets would have their breakers and connections in common with those of the route.
  if (upstream === original.whole)
    throw new ActionError(place, 'expected another upstream than one that the route is forwarded to');
  if (upstream.options.protocol !== 'http')
    throw new ActionError(
      place,
      `the upstream "${upstream.name}" speaks gRPC, expected one that speaks http`,
    );
  const compiled = below(['host'], () => compileHost(host ?? upstream.options.host, input.pattern));
  return new Mirror(options, { upstream, host: compiled, prefix, tally });
}
