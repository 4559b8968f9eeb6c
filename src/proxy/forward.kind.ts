import { Injectable } from '@nestjs/common';
import { below } from '../routing/below.ts';
import { compileRewrite } from '../routing/rewrite.ts';
import {
  ActionError,
  type ActionInput,
  type ActionKind,
  type LiveRoutes,
  type LiveWork,
  type RouteAction,
} from '../routing/route-action.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { ForwardAction } from './forward.action.ts';
import { forwardSource, type ForwardDefinition } from './forward.source.ts';
import { ForwardedSockets } from './forwarded-sockets.ts';
import { compileHost } from './outbound-host.ts';
import { replacedPrefix } from './replaced-prefix.ts';
import { SocketForwardAction } from './socket-forward.action.ts';

/** Routes whose exchanges are forwarded to an upstream that speaks HTTP, as opaque streams both ways. */
@Injectable()
export class ForwardKind implements ActionKind {
  static readonly source = forwardSource;
  readonly source = forwardSource;

  constructor(
    private readonly metrics: Metrics,
    private readonly sockets: ForwardedSockets,
  ) {}

  work(routes: LiveRoutes): LiveWork {
    return this.sockets.work(routes);
  }

  compile(definition: ForwardDefinition, { pattern, upstream }: ActionInput): RouteAction {
    const { rewrite, prefix, host, webSocket } = definition;
    if (upstream === undefined) throw new ActionError(['upstream'], 'expected the name of an upstream');
    if (upstream.options.protocol === 'grpc') {
      throw new ActionError(
        ['upstream'],
        `the upstream "${upstream.name}" speaks gRPC; a route needs one that speaks http, \`passGrpc: true\` beside it, or \`grpc\` in place of \`match\``,
      );
    }
    const way = {
      rewrite:
        prefix === undefined
          ? below(['rewrite'], () => compileRewrite(rewrite, pattern))
          : replacedPrefix(prefix),
      host: below(['host'], () => compileHost(host ?? upstream.options.host, pattern)),
    };
    const action = new ForwardAction(upstream, way, this.metrics);
    return webSocket === undefined ? action : new SocketForwardAction(action, webSocket, this.sockets);
  }
}
