import type { Exchange } from '../exchange/exchange.ts';
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
 */
export function coverProblems(exchange: Exchange, route: Route): void {
  const { recording } = exchange;
  if (recording === undefined) return;
  let isCovered = false;
  recording.covers = (problem) => {
    // What was sent in its place stands, whoever fails after that.
    if (isCovered) return true;
    const isFailure = problem.status >= FIRST_FAILURE_STATUS && !exchange.response.headersSent;
    const standIn = isFailure ? standInOf(exchange, route) : undefined;
    if (standIn === undefined) tell(exchange, recording, problem);
    else {
      isCovered = true;
      new AnswerWriter(exchange, route).replay(standIn);
      // It is asked again for each later problem.
      exchange.recording = recording;
    }
    return isCovered;
  };
}

function tell(exchange: Exchange, recording: Recording, problem: Problem): void {
  const isOwn = recording.handledFrom !== undefined && problem !== exchange.cancelled;
  if (!isOwn || problem.status >= FIRST_FAILURE_STATUS || exchange.response.headersSent)
    return recording.abandon();
  const { head, body } = problemAnswer(problem, exchange.id);
  recording.start(head.status, [...head.headers]);
  recording.data(body);
  recording.end();
}
