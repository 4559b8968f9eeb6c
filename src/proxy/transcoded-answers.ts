import { Injectable } from '@nestjs/common';
import type { Exchange } from '../exchange/exchange.ts';
import type { Stage } from '../policies/stage.ts';
import { Problem } from '../problems/problem.ts';
import type { Route } from '../routing/route.ts';
import { isSocketOnly } from '../routing/socket-only.ts';
import { Transcoder } from '../upstreams/grpc/transcoding/transcoder.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import { AnswerWriter } from './answer-writer.ts';
import { jsonEditOf } from './json-edit.ts';
import { TranscodedSockets } from './transcoded-sockets.ts';

/** How soon to ask again for what an upstream has not told yet. */
const RETRY_AFTER_SECONDS = '5';

/**
 * What a client has to say to be let in (RFC 9110 section 15.5.22). It ends the connection, as an answer to a body or a
 * handshake in the wrong place has to: `node:http` takes any `Connection` field without `close` for a promise to stay.
 */
const UPGRADE = { upgrade: 'websocket', connection: 'upgrade, close' };

/** Answers the exchanges of routes that are translated to gRPC. */
@Injectable()
export class TranscodedAnswers {
  constructor(
    private readonly transcoder: Transcoder,
    private readonly sockets: TranscodedSockets,
  ) {}

  /** The stages that an exchange enters. */
  stagesOf(exchange: Exchange, route: Route): readonly Stage[] {
    return this.sockets.has(exchange, route) ? route.live.handshake : route.stages;
  }

  /** Answers one exchange; its stages were entered. */
  answer(exchange: Exchange, route: Route, upstream: Upstream): void {
    const binding = route.grpc;
    if (binding === undefined || binding === 'unknown') {
      const headers = { 'retry-after': RETRY_AFTER_SECONDS };
      return new AnswerWriter(exchange, route).fail(new Problem('no-available-target', { headers }));
    }
    if (this.sockets.has(exchange, route)) return this.sockets.answer(exchange, route, upstream);
    if (isSocketOnly(route))
      return new AnswerWriter(exchange, route).fail(new Problem('upgrade-required', { headers: UPGRADE }));
    // The JSON is at hand before it is text: its edits are made there, message by message, also in a stream.
    const isEdited = !binding.answer.isRaw;
    this.transcoder.answer({
      exchange,
      upstream,
      binding,
      sink: new AnswerWriter(exchange, route, isEdited),
      edit: isEdited ? jsonEditOf(exchange, route) : undefined,
      maxBodyBytes: route.policies.bodyLimit,
    });
  }
}
