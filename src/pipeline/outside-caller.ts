import { Injectable } from '@nestjs/common';
import type { Exchange } from '../exchange/exchange.ts';
import type { AuthorizationVerdict, AuthorizationCheck } from '../exchange/authorization-check.ts';
import type { Outside, OutsideAnswer, OutsideRequest } from '../policies/external-authorization/outside.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { checkAuthorization } from '../upstreams/grpc/ext-authz.ts';
import { GrpcCaller } from '../upstreams/grpc/grpc-caller.ts';
import { WholeRun } from '../upstreams/http/whole-run.ts';
import type { Upstream } from '../upstreams/upstream.ts';

/** Asks services outside that are upstreams of the configuration under which an exchange began. */
@Injectable()
export class OutsideCaller implements Outside {
  constructor(
    private readonly grpc: GrpcCaller,
    private readonly metrics: Metrics,
  ) {}

  async ask(
    exchange: Exchange,
    upstream: string,
    request: OutsideRequest,
    timeoutMs: number,
  ): Promise<OutsideAnswer> {
    const limits = { exchange, timeoutMs };
    return new WholeRun(upstreamOf(exchange, upstream), request, limits, this.metrics).start();
  }

  async check(
    exchange: Exchange,
    upstream: string,
    question: AuthorizationCheck,
    timeoutMs: number,
  ): Promise<AuthorizationVerdict> {
    return checkAuthorization(this.grpc, upstreamOf(exchange, upstream), question, { exchange, timeoutMs });
  }
}

function upstreamOf({ snapshot }: Exchange, name: string): Upstream {
  const found = snapshot?.upstreams.find(name);
  // Whoever compiled the route has found it in this snapshot.
  if (found === undefined) throw new Error(`there is no upstream "${name}"`);
  return found;
}
