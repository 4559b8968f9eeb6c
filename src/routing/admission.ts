import type { FastifyReply, FastifyRequest } from 'fastify';
import type {} from '../exchange/exchange-of.ts';
import { sendStageAnswer } from '../exchange/stage-answer.ts';
import { enterStages, type Entered, type Stage } from '../policies/stage.ts';
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
 * may not call costs us no body. What a stage answers is sent, and nobody calls back then.
 *
 * @param isGuarded whether its handler has guards of its own, which have to let an earlier answer pass as well. Default false.
 */
export function admit(route: Route, reply: FastifyReply, done: Done, isGuarded = false): void {
  const { exchange } = reply.request;
  exchange.route = route;
  const pass: Done = (error) => {
    if (error === undefined) exchange.admitted = true;
    done(error);
  };
  enterAt(route.beforeBody, reply, pass, isGuarded);
}

/**
 * Enters stages from a hook of Fastify; calls back when all of them have passed, or with what speaks against it.
 *
 * @param isGuarded whether an answer that an earlier request was given waits for guards that come later. Default false.
 */
export function enterAt(stages: readonly Stage[], reply: FastifyReply, done: Done, isGuarded = false): void {
  const { exchange } = reply.request;
  const conclude = (answer: Entered): void => {
    if (exchange.cancelled !== undefined) return done(exchange.cancelled);
    if (answer === undefined) return done();
    if (!isGuarded || !exchange.isReplayed) return void sendStageAnswer(reply, answer);
    // Fails closed: who asks now may be somebody whom the guards refuse.
    exchange.awaited = answer;
    done();
  };
  let entered: ReturnType<typeof enterStages>;
  try {
    entered = enterStages(stages, exchange);
  } catch (error) {
    return done(error as Error);
  }
  if (entered instanceof Promise) entered.then(conclude, done);
  else conclude(entered);
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
