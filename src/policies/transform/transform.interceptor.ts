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
import { beginsLikeJson, editJson, editMaybeJson, isJsonType, isNeverJson } from './maskable-body.ts';
import { PlainFault } from '../../telemetry/error-facts.ts';

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
    const edit = answerEditOf(exchange, reply.statusCode);
    if (edit === undefined) return next.handle();
    return next.handle().pipe(map((value: unknown) => editedAnswer(value, edit, reply)));
  }
}

/** What the stages of a route do to the body of an answer. */
export interface AnswerEdit {
  readonly apply: (value: unknown) => unknown;
  /** Whether everything has to be edited that may be JSON, and not only what is said to be. */
  readonly isStrict: boolean;
  /** Whether what is said to be JSON and is none goes out as it is. */
  readonly passes: boolean;
}

/**
 * What the stages of an exchange's route do to the body of its answer; undefined for nothing.
 *
 * @param status of the answer.
 */
export function answerEditOf(exchange: Exchange, status: number): AnswerEdit | undefined {
  const { route } = exchange;
  if (route === undefined || route.leaving.length === 0) return undefined;
  const editing = route.leaving.filter((stage) => stage.body !== undefined);
  if (editing.length === 0) return undefined;
  return {
    apply: (value) => editing.reduce((edited, stage) => stage.body?.(exchange, edited, status), value),
    isStrict: editing.some(({ bodies }) => bodies !== 'json'),
    passes: editing.every(({ onBodyFault }) => onBodyFault === 'pass'),
  };
}

/**
 * Edits an answer that a handler returned.
 *
 * @throws {Problem} `internal` for what cannot be edited: it is not sent.
 */
// Texts and bytes are sent as they are, so they are looked at as those of an upstream are.
export function editedAnswer(value: unknown, edit: AnswerEdit, reply: FastifyReply): unknown {
  if (typeof value === 'string') return editBytes(Buffer.from(value), edit, reply).toString();
  if (value instanceof Uint8Array) return editBytes(Buffer.from(value), edit, reply);
  if (!isStream(value)) return edit.apply(value);
  const type = value instanceof StreamableFile ? value.getHeaders().type : undefined;
  const types = type === undefined ? typesOf(reply) : [type];
  const isUntouched = edit.isStrict ? isNeverJson(types) : !isJsonType(types) || edit.passes;
  if (isUntouched) return value;
  throw unmaskable('it is a stream');
}

function editBytes(bytes: Buffer, edit: AnswerEdit, reply: FastifyReply): Buffer {
  const types = typesOf(reply);
  if (!edit.isStrict && !isJsonType(types)) return bytes;
  if (edit.isStrict && isNeverJson(types) && beginsLikeJson(bytes) !== true) return bytes;
  try {
    return edit.isStrict ? editMaybeJson(bytes, edit.apply) : editJson(bytes, edit.apply);
  } catch (error) {
    if (!edit.isStrict && edit.passes) return bytes;
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
    cause: new PlainFault(`the answer of the handler cannot be masked or edited: ${why}`, { cause }),
  });
}
