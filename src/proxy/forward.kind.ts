import { Injectable } from '@nestjs/common';
import type { CanaryOptions } from '../canary/canary.schema.ts';
import { planOf, type RolloutPlan } from '../canary/rollout-plan.ts';
import { Rollouts } from '../canary/rollouts.ts';
import { below } from '../routing/below.ts';
import { compileRewrite } from '../routing/rewrite.ts';
import {
  ActionError,
  type ActionInput,
  type ActionKind,
  type Elsewhere,
  type LiveRoutes,
  type LiveWork,
  type RouteAction,
} from '../routing/route-action.ts';
import { Metrics } from '../telemetry/metrics.ts';
import type { UpstreamSource } from '../upstreams/upstream-part.ts';
import type { SideAction } from './several.action.ts';
import { compileCanary } from './canary-sides.ts';
import { ForwardAction } from './forward.action.ts';
import type { ForwardWay } from './forward-way.ts';
import { forwardSource, type ForwardDefinition } from './forward.source.ts';
import { ForwardedSockets } from './forwarded-sockets.ts';
import { compileMirror } from './mirror/compile-mirror.ts';
import { MirroringAction } from './mirror/mirroring.action.ts';
import { Mirrors } from './mirror/mirrors.ts';
import { compileHost } from './outbound-host.ts';
import { SplitAction, type Share } from './split.action.ts';
import type { SplitOptions } from './split.schema.ts';
import type { Upstream } from '../upstreams/upstream.ts';
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
    private readonly rollouts: Rollouts,
    private readonly mirrors: Mirrors,
  ) {}

  work(routes: LiveRoutes): LiveWork {
    const sockets = this.sockets.work(routes);
    return {
      start: () => {
        sockets.start?.();
        this.rollouts.inForce(plansOf(routes));
      },
    };
  }

  compile(definition: ForwardDefinition, input: ActionInput): RouteAction {
    const { upstream } = input;
    if (upstream === undefined) throw new ActionError(['upstream'], 'expected the name of an upstream');
    if (upstream.options.protocol === 'grpc') {
      throw new ActionError(
        ['upstream'],
        `the upstream "${upstream.name}" speaks gRPC; a route needs one that speaks http, \`passGrpc: true\` beside it, or \`grpc\` in place of \`match\``,
      );
    }
    const { canary: options, split } = definition;
    if (split !== undefined) return this.#shared(definition, split, upstream, input);
    if (options === undefined)
      return this.#forward(definition, { whole: upstream, current: upstream }, input);
    const { rollouts } = this;
    const rollout = rollouts.of(planOf(input.routeId, options));
    const forward = (source: UpstreamSource): SideAction => this.#forward(definition, source, input);
    return compileCanary({ options, rollout, rollouts, input, forward });
  }

  #shared(
    definition: ForwardDefinition,
    { weight, others }: SplitOptions,
    upstream: Upstream,
    input: ActionInput,
  ): RouteAction {
    if (definition.canary !== undefined)
      throw new ActionError(
        ['split'],
        'expected one of `split` and `canary`: either says who gets a request',
      );
    const of = (one: Upstream): SideAction => this.#forward(definition, { whole: one, current: one }, input);
    const first = of(upstream);
    const elsewhere: Elsewhere[] = [];
    const shares = others.map((one, index): Share => {
      if (!('upstream' in one)) return { weight: one.weight, action: undefined };
      const key = ['split', 'others', String(index), 'upstream'];
      const other = input.named(one.upstream, key);
      if (other.options.protocol !== 'http')
        throw new ActionError(key, `the upstream "${other.name}" speaks gRPC, expected one that speaks http`);
      if (other !== upstream) elsewhere.push({ upstream: other, key });
      return { weight: one.weight, action: of(other) };
    });
    return new SplitAction(first, [{ weight, action: first }, ...shares], elsewhere);
  }

  #forward(definition: ForwardDefinition, source: UpstreamSource, input: ActionInput): SideAction {
    const { rewrite, prefix, host, webSocket } = definition;
    const { pattern } = input;
    const way = {
      rewrite:
        prefix === undefined
          ? below(['rewrite'], () => compileRewrite(rewrite, pattern))
          : replacedPrefix(prefix),
      host: below(['host'], () => compileHost(host ?? source.whole.options.host, pattern)),
    };
    const action = this.#sender(definition, source, way, input);
    return webSocket === undefined ? action : new SocketForwardAction(action, webSocket, this.sockets);
  }

  #sender(
    { mirror: options, host }: ForwardDefinition,
    source: UpstreamSource,
    way: ForwardWay,
    input: ActionInput,
  ): ForwardAction {
    if (options === undefined) return new ForwardAction(source, way, this.metrics);
    const tally = this.mirrors.tallyOf(input.routeId);
    const prefix = way.rewrite?.prefix;
    const mirror = compileMirror(options, input, { original: source, host, prefix, tally });
    return new MirroringAction(source, way, this.metrics, mirror);
  }
}

function plansOf({ config }: LiveRoutes): RolloutPlan[] {
  return config.routes.flatMap(({ id, canary }) =>
    canary === undefined ? [] : [planOf(id, canary as CanaryOptions)],
  );
}
