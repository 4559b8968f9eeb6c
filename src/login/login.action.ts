import { Inject, Injectable, Optional } from '@nestjs/common';
import type { Audit } from '../audit/audit-event.ts';
import { AUDIT } from '../config/tokens.ts';
import type { OperationContract } from '../contracts/operation-contract.ts';
import type { AnswerSink } from '../exchange/answer-sink.ts';
import type { Answer, Exchange } from '../exchange/exchange.ts';
import { Identity } from '../policies/authentication/identity.ts';
import type { SessionVerifier } from '../policies/authentication/login/session.verifier.ts';
import { toProblem } from '../problems/render-problem.ts';
import type { ActionDefinition, ActionKind, ActionSource, RouteAction } from '../routing/route-action.ts';
import type { Route } from '../routing/route.ts';
import { endpoints, type EndpointName } from './endpoints.ts';

/** Which endpoint of the log-in a route is. */
export interface LoginDefinition extends ActionDefinition {
  readonly kind: 'login';
  readonly endpoint: EndpointName;
}

/** No route of the file is one: they come with `identity.login`. */
const loginSource: ActionSource = {
  kind: 'login',
  key: 'login',
  keys: {},
  hasUpstream: false,
  alone: 'nobody else is asked',
  read: () => ({ definitions: [], faults: [] }),
};

/** The routes that log browsers in and out. */
@Injectable()
export class LoginKind implements ActionKind {
  readonly source = loginSource;

  constructor(
    private readonly identity: Identity,
    @Optional() @Inject(AUDIT) private readonly audit?: Audit,
  ) {}

  compile({ endpoint }: LoginDefinition): RouteAction {
    return new LoginAction(endpoint, this.identity.verifier('session') as SessionVerifier, this.audit);
  }
}

class LoginAction implements RouteAction {
  readonly kind = 'login';
  readonly target: string;
  readonly #endpoint: EndpointName;
  readonly #sessions: SessionVerifier;
  readonly #audit: Audit | undefined;

  constructor(endpoint: EndpointName, sessions: SessionVerifier, audit: Audit | undefined) {
    this.target = endpoint;
    this.#endpoint = endpoint;
    this.#sessions = sessions;
    this.#audit = audit;
  }

  answer(exchange: Exchange, _route: Route, sink: AnswerSink): void {
    endpoints[this.#endpoint].answer(exchange, this.#sessions, this.#audit).then(
      (answer) => send(answer, exchange, sink),
      (error: unknown) => sink.fail(toProblem(error)),
    );
  }

  contract(): OperationContract {
    const { answers, problems } = endpoints[this.#endpoint];
    return { parameters: [], answers, problems };
  }
}

function send({ status, headers, body }: Answer, { method }: Exchange, sink: AnswerSink): void {
  sink.start(status, [...headers]);
  if (body.length > 0 && method !== 'HEAD') sink.data(body);
  sink.end();
}
