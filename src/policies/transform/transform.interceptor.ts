import {
  Injectable,
  StreamableFile,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { map, type Observable } from 'rxjs';
import { exchangeOf } from '../../exchange/exchange-of.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { finishOnWrite } from '../../exchange/reply-head.ts';
import { Problem } from '../../problems/problem.ts';
import { beginsLikeJson, editMaybeJson, isNeverJson } from './maskable-body.ts';
import { PlainFault } from '../../telemetry/error-facts.ts';

type Edit = (value: unknown) => unknown;

/**
 * Edits what a handler returns as its route's stages say, such as masked fields, and the head of it. Only what is sent piece by piece needs it
 * (`@Sse()`): everything else is edited where it is sent.
 */
@Injectable()
export class TransformInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const exchange = exchangeOf(context);
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    finishOnWrite(exchange, reply.raw);
    const edit = answerEditOf(exchange);
    if (edit === undefined) return next.handle();
    return next.handle().pipe(map((value: unknown) => editedAnswer(value, edit, reply)));
  }
}

/** What the stages of an exchange's route do to the body of its answer; undefined for nothing. */
export function answerEditOf(exchange: Exchange): Edit | undefined {
  const { route } = exchange;
  if (route === undefined || route.leaving.length === 0) return undefined;
  const editing = route.leaving.filter((stage) => stage.body !== undefined);
  if (editing.length === 0) return undefined;
  return (value) => editing.reduce((edited, stage) => stage.body?.(exchange, edited), value);
}

/**
 * Edits an answer that a handler returned.
 *
 * @throws {Problem} `internal` for what cannot be edited: it is not sent.
 */
// Texts and bytes are sent as they are, so they are looked at as those of an upstream are.
export function editedAnswer(value: unknown, edit: Edit, reply: FastifyReply): unknown {
  if (typeof value === 'string') return editBytes(Buffer.from(value), edit, reply).toString();
  if (value instanceof Uint8Array) return editBytes(Buffer.from(value), edit, reply);
  if (!isStream(value)) return edit(value);
  const type = value instanceof StreamableFile ? value.getHeaders().type : undefined;
  if (isNeverJson(type === undefined ? typesOf(reply) : [type])) return value;
  throw unmaskable('it is a stream');
}

function editBytes(bytes: Buffer, edit: Edit, reply: FastifyReply): Buffer {
  if (isNeverJson(typesOf(reply)) && beginsLikeJson(bytes) !== true) return bytes;
  try {
    return editMaybeJson(bytes, edit);
  } catch (error) {
    // No upstream has sent this.
    throw unmaskable('it is no JSON', error);
  }
}

function isStream(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return (
    value instanceof StreamableFile || value instanceof Response || 'pipe' in value || 'getReader' in value
  );
}

function typesOf(reply: FastifyReply): string[] {
  const type = reply.getHeader('content-type');
  return type === undefined ? [] : [type].flat().map(String);
}

// Fails closed: what cannot be masked is not sent.
function unmaskable(why: string, cause?: unknown): Problem {
  return new Problem('internal', {
    cause: new PlainFault(`the answer of the handler cannot be masked: ${why}`, { cause }),
  });
}
