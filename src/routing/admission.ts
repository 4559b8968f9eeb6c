import type { FastifyReply, FastifyRequest } from 'fastify';
import type {} from '../exchange/exchange-of.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { enterStages } from '../policies/stage.ts';
import { announcesBody, renderProblem } from '../problems/render-problem.ts';
import type { Route } from './route.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether the route enters its stages by itself, because not all of its requests meet the same. */
    admitsItself?: boolean;
  }
}

/** Calls back when a request may go on, or with what speaks against it. */
export type Done = (error?: Error) => void;

/**
 * Enters the stages of a code-first route that come before the body, from a hook that runs before Fastify reads it: who
 * may not call costs us no body. Stages that answer by themselves do not compile for this door.
 */
export function admit(route: Route, { exchange }: FastifyRequest, done: Done): void {
  exchange.route = route;
  try {
    const pending = enterStages(route.beforeBody, exchange);
    if (pending === undefined) admitted(exchange, done);
    else pending.then(() => admitted(exchange, done), done);
  } catch (error) {
    done(error as Error);
  }
}

function admitted(exchange: Exchange, done: Done): void {
  if (exchange.cancelled === undefined) exchange.admitted = true;
  done(exchange.cancelled);
}

/** Answers an exchange that is cancelled and leaves behind whoever works on it; what they answer then is dropped. */
export function leaveBehind({ exchange }: FastifyRequest, reply: FastifyReply): void {
  exchange.onCancel((reason) => {
    // Whoever streams an answer tells what ends it himself, and then cancels what is still under way for it.
    if (reply.sent || exchange.problem === reason) return;
    reply.hijack();
    renderProblem(exchange, reason);
  });
}

/** The same, but only while the body is read: who answers after that minds the cancellation by themselves. */
export function leaveUnread({ exchange, raw }: FastifyRequest, reply: FastifyReply): void {
  if (!announcesBody(raw)) return;
  exchange.onCancel((reason) => {
    if (raw.readableEnded || reply.sent) return;
    reply.hijack();
    renderProblem(exchange, reason);
  });
}
