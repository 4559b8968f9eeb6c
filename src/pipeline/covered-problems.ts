import type { FastifyReply } from 'fastify';
import { standInOf } from '../exchange/stand-in.ts';
import type { Recording } from '../policies/cache/recording.ts';
import type { Problem } from '../problems/problem.ts';
import { problemAnswer } from '../problems/render-problem.ts';
import { AnswerWriter } from '../proxy/answer-writer.ts';
import type { Route } from '../routing/route.ts';

const FIRST_FAILURE_STATUS = 500;

/**
 * Has a problem of a handler answered by what its cache has for that, as a service's failure is (`staleIfError`); and keeps
 * what a handler says by throwing, such as that something does not exist. Whoever tells of the problem has hijacked the reply.
 *
 * @param isGuarded whether the handler has guards of its own.
 */
export function coverProblems(reply: FastifyReply, route: Route, isGuarded: boolean): void {
  const { exchange } = reply.request;
  const { recording } = exchange;
  if (recording === undefined) return;
  // Fails closed: a guard that fails has let nobody pass.
  recording.awaitsGuards = isGuarded;
  let isCovered = false;
  recording.covers = (problem) => {
    // What was sent in its place stands, whoever fails after that.
    if (isCovered) return true;
    const isFailure = problem.status >= FIRST_FAILURE_STATUS && !exchange.response.headersSent;
    const standIn = isFailure ? standInOf(exchange, route) : undefined;
    if (standIn === undefined) tell(reply, recording, problem);
    else {
      isCovered = true;
      new AnswerWriter(exchange, route).replay(standIn);
      // It is asked again for each later problem.
      exchange.recording = recording;
    }
    return isCovered;
  };
}

function tell(reply: FastifyReply, recording: Recording, problem: Problem): void {
  const { exchange } = reply.request;
  const isOwn = recording.handledFrom !== undefined && problem !== exchange.cancelled;
  if (!isOwn || problem.status >= FIRST_FAILURE_STATUS || exchange.response.headersSent)
    return recording.abandon();
  const { head, body } = problemAnswer(problem, exchange.id);
  recording.start(head.status, [...head.headers, ...saidBefore(reply)]);
  recording.data(body);
  recording.end();
}

// Fails closed: what a handler has said of its answer before it threw holds for that as well.
function saidBefore(reply: FastifyReply): string[] {
  const fields: string[] = [];
  for (const name of ['vary', 'cache-control'])
    for (const value of [reply.getHeader(name) ?? []].flat()) fields.push(name, String(value));
  const { responseHeaders } = reply.request.exchange;
  for (let i = 0; i < responseHeaders.length; i += 2)
    if (responseHeaders[i] === 'vary') fields.push('vary', responseHeaders[i + 1] as string);
  return fields;
}
