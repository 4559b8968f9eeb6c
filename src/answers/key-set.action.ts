import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import type { OperationContract } from '../contracts/operation-contract.ts';
import type { AnswerSink } from '../exchange/answer-sink.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { Problem } from '../problems/problem.ts';
import { definitionOf } from '../routing/read-routes.ts';
import type { Foreseen } from '../routing/foreseen.ts';
import type { GatewayConfig } from '../routing/gateway.schema.ts';
import type { ActionDefinition, ActionKind, ActionSource, RouteAction } from '../routing/route-action.ts';
import type { Route, RouteDefinition } from '../routing/route.ts';

/** Id of the route that is there by itself. */
export const KEY_SET_ROUTE_ID = 'gatehouse-jwks';

const NOT_MODIFIED = 304;
const ACTION: ActionDefinition = Object.freeze({ kind: 'keySet' });

const keySetSource: ActionSource = {
  kind: 'keySet',
  key: 'keySet',
  keys: {
    keySet: z
      .literal(true)
      .describe('Answers with the public keys of `identity.signing`, besides the path that it says.'),
  },
  hasUpstream: false,
  alone: 'nobody else is asked',
  read: (reading) => ({ definitions: [definitionOf(reading, ACTION)], faults: [] }),
};

/** The route of the public keys, for configurations that say who signs. */
export function keySetRoutes({ identity }: GatewayConfig): readonly RouteDefinition[] {
  if (identity?.signing === undefined) return [];
  return [
    {
      id: KEY_SET_ROUTE_ID,
      door: 'proxy',
      origin: 'identity.signing',
      match: { methods: ['GET'], hosts: [], path: identity.signing.path, headers: {} },
      matchKey: 'identity.signing',
      action: ACTION,
      // Public keys are for everybody, and kept by their own head.
      policies: [{ authentication: 'public', authorization: 'off', cache: 'off', quota: 'off' }],
    },
  ];
}

/** Routes that answer with the public keys that identity tokens are verified with (RFC 7517). */
@Injectable()
export class KeySetKind implements ActionKind {
  static readonly source = keySetSource;
  readonly source = keySetSource;

  compile(): RouteAction {
    return new KeySetAction();
  }
}

class KeySetAction implements RouteAction {
  readonly kind = 'keySet';
  readonly target = 'public keys';

  answer({ method, request, snapshot }: Exchange, _route: Route, sink: AnswerSink): void {
    const ring = snapshot?.deps.keys;
    if (ring === undefined) return sink.fail(new Problem('route-not-found'));
    const { body, etag, maxAgeS } = ring.document();
    const cacheControl = maxAgeS === 0 ? 'no-store' : `public, max-age=${maxAgeS}`;
    const head = ['etag', etag, 'cache-control', cacheControl];
    if (isKnown(request.headers['if-none-match'], etag)) sink.start(NOT_MODIFIED, head);
    else {
      const length = ['content-length', String(body.length)];
      sink.start(200, ['content-type', 'application/jwk-set+json', ...length, ...head]);
      if (method !== 'HEAD') sink.data(body);
    }
    sink.end();
  }

  foresee(): Foreseen {
    return { answer: 'the public keys of identity.signing', requests: [] };
  }

  contract(): OperationContract {
    const content = { 'application/jwk-set+json': {} };
    return {
      parameters: [],
      answers: { 200: { description: 'Public keys (RFC 7517).', content } },
      problems: [],
    };
  }
}

// A weak comparison (RFC 9110 section 13.1.2).
function isKnown(said: string | undefined, etag: string): boolean {
  if (said === undefined) return false;
  return said.split(',').some((one) => one.trim() === '*' || one.trim().replace(/^W\//, '') === etag);
}
