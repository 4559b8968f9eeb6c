import { Injectable } from '@nestjs/common';
import type { Exchange } from '../exchange/exchange.ts';
import { Problem } from '../problems/problem.ts';
import type { Route } from '../routing/route.ts';
import { Transcoder } from '../upstreams/grpc/transcoding/transcoder.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import { AnswerWriter } from './answer-writer.ts';
import { jsonEditOf } from './json-edit.ts';

/** How soon to ask again for what an upstream has not told yet. */
const RETRY_AFTER_SECONDS = '5';

/** Answers the exchanges of routes that are translated to gRPC. */
@Injectable()
export class TranscodedAnswers {
  constructor(private readonly transcoder: Transcoder) {}

  /** Answers one exchange; its stages were entered. */
  answer(exchange: Exchange, route: Route, upstream: Upstream): void {
    const binding = route.grpc;
    if (binding === undefined || binding === 'unknown') {
      const headers = { 'retry-after': RETRY_AFTER_SECONDS };
      return new AnswerWriter(exchange, route).fail(new Problem('no-available-target', { headers }));
    }
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
