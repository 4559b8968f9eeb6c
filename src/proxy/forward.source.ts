import type { z } from 'zod';
import { canarySchema, type CanaryOptions } from '../canary/canary.schema.ts';
import { definitionOf } from '../routing/read-routes.ts';
import type { ActionDefinition, ActionSource } from '../routing/route-action.ts';
import { rewriteSchema } from '../routing/rewrite.schema.ts';
import { mirrorSchema, type MirrorOptions } from './mirror/mirror.schema.ts';
import { routeHostOption } from './outbound-host.ts';
import { splitSchema, type SplitOptions } from './split.schema.ts';
import { webSocketSchema, type WebSocketOptions } from './web-socket.schema.ts';

/** A route that is forwarded to its upstream, as data. */
export interface ForwardDefinition extends ActionDefinition {
  readonly kind: 'forward';
  readonly rewrite: z.output<typeof rewriteSchema> | undefined;
  /** What a prefix of every path becomes, in place of `rewrite`. */
  readonly prefix?: { readonly from: string; readonly to: string } | undefined;
  /** Absent: as the upstream says. */
  readonly host?: string | undefined;
  /** Absent: all requests go to the upstream alike. */
  readonly canary?: CanaryOptions | undefined;
  /** Absent: all requests go to the upstream. */
  readonly split?: SplitOptions | undefined;
  /** Absent: nobody else is sent anything. */
  readonly mirror?: MirrorOptions | undefined;
  /** Absent: an upgrade means nothing, and its request is forwarded as any other. */
  readonly webSocket?: WebSocketOptions | undefined;
}

/** Routes that have an `upstream` and nothing else to be answered by. */
export const forwardSource: ActionSource = {
  kind: 'forward',
  door: 'proxied',
  keys: {
    rewrite: rewriteSchema,
    host: routeHostOption,
    webSocket: webSocketSchema,
    canary: canarySchema,
    split: splitSchema,
    mirror: mirrorSchema,
  },
  hasUpstream: true,
  passesFields: true,
  alone: 'the upstream answers',
  read(reading) {
    const { rewrite, host, webSocket, canary, split, mirror } = reading.route as unknown as Omit<
      ForwardDefinition,
      'kind'
    >;
    const action: ForwardDefinition = { kind: 'forward', rewrite, host, webSocket, canary, split, mirror };
    return { definitions: [definitionOf(reading, action)], faults: [] };
  },
};
