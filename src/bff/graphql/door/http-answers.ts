import type { FastifyReply } from 'fastify';
import { GraphQLError } from 'graphql';
import type { GraphqlMediaType } from './accept.ts';
import type { GraphqlLimits } from './graphql.options.ts';
import type { Refused, RefusedFor } from '../execution/operation-result.ts';
import { refusalOf } from '../execution/graphql-answer.ts';
import { statusOf, typeOf, type Outcome } from './status-rules.ts';

const METHOD_NOT_ALLOWED = 405;
const BAD_REQUEST = 400;

/** Writes answers of GraphQL over HTTP: with the status and the media type that the rules want. */
export class HttpAnswers {
  readonly #limits: GraphqlLimits;

  constructor(limits: GraphqlLimits) {
    this.#limits = limits;
  }

  /** Writes what is wrong with a request that nobody could run. */
  refused(reply: FastifyReply, { why, value }: Refused, mediaType: GraphqlMediaType): FastifyReply {
    const body = JSON.stringify(value);
    const [first] = value.errors;
    if (why !== 'document') {
      const status = this.#statusOf(why, first?.message ?? '', mediaType);
      return this.#malformed(why === 'mutation' ? reply.header('allow', 'POST') : reply, status, body);
    }
    void reply.header('cache-control', 'no-store');
    return this.answered(reply, value.errors.some(isSyntaxError) ? 'unparsable' : 'refused', body, mediaType);
  }

  /** Writes that a client accepts nothing that there is. */
  notAcceptable(reply: FastifyReply, status: number, message: string): FastifyReply {
    return this.#malformed(reply, status, refusalOf([new GraphQLError(message)], this.#limits.production));
  }

  /** Writes an answer. */
  answered(reply: FastifyReply, outcome: Outcome, body: string, mediaType: GraphqlMediaType): FastifyReply {
    const { statusRules } = this.#limits;
    void reply.code(statusOf(statusRules, outcome, mediaType));
    return write(reply, typeOf(statusRules, outcome, mediaType), body);
  }

  #statusOf(why: RefusedFor, message: string, mediaType: GraphqlMediaType): number {
    if (why === 'mutation') return METHOD_NOT_ALLOWED;
    if (why === 'subscription') return BAD_REQUEST;
    const outcome = message.startsWith('Unparsable') ? 'broken' : 'malformed';
    return statusOf(this.#limits.statusRules, outcome, mediaType);
  }

  #malformed(reply: FastifyReply, status: number, body: string): FastifyReply {
    return write(reply.code(status), typeOf(this.#limits.statusRules, 'malformed', 'application/json'), body);
  }
}

function write(reply: FastifyReply, mediaType: GraphqlMediaType, body: string): FastifyReply {
  return reply.header('content-type', `${mediaType}; charset=utf-8`).send(body);
}

function isSyntaxError({ message }: { readonly message: string }): boolean {
  return message.startsWith('Syntax Error');
}
