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
import { Problem } from '../../problems/problem.ts';
import { beginsLikeJson, editMaybeJson, isNeverJson } from './maskable-body.ts';
import { PlainFault } from '../../telemetry/error-facts.ts';

type Edit = (value: unknown) => unknown;

/** Edits what a handler returns as its route's stages say, such as masked fields. */
@Injectable()
export class TransformInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const exchange = exchangeOf(context);
    const editing = exchange.route?.leaving.filter((stage) => stage.body !== undefined) ?? [];
    const edit: Edit = (value) => editing.reduce((edited, stage) => stage.body?.(exchange, edited), value);
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    return next.handle().pipe(map((value: unknown) => edited(value, edit, reply)));
  }
}

// Texts and bytes are sent as they are, so they are looked at as those of an upstream are.
function edited(value: unknown, edit: Edit, reply: FastifyReply): unknown {
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
