import type { ExecutionResult, FormattedExecutionResult } from 'graphql';
import { forgetRuns } from '../../../calls/reuse/call-memory.ts';
import type { Exchange } from '../../../exchange/exchange.ts';
import { passOn } from '../../../policies/seats.ts';
import { enterStages } from '../../../policies/stage.ts';
import type { Problem } from '../../../problems/problem.ts';
import { unlessCancelled } from './cancelled.ts';
import { EventStream } from './event-stream.ts';
import { valueOf } from './graphql-answer.ts';
import type { GraphqlRequest } from '../door/graphql-request.ts';
import type { OperationContext } from './operation-context.ts';
import { forkOf } from './operation-exchange.ts';
import type { OperationMeters } from './operation-meters.ts';
import type { OperationTrace } from './operation-trace.ts';
import type { OperationPlan } from './operation-plan.ts';
import type { OwnStages } from './operation-runner.ts';
import type { PreparedOperation } from '../documents/prepared-operation.ts';

type Source = AsyncIterable<unknown> | ExecutionResult;

/**
 * Waits for the source of a subscription, as long as its deadline lets it: who is open stays, who opens has no forever.
 * A source that comes too late is let go.
 */
export async function openSource(
  opening: Promise<Source>,
  exchange: Exchange,
  stages: OwnStages | undefined,
): Promise<Source> {
  // Of its own, so that what the source calls has no deadline.
  const clock = stages === undefined || stages.opening.length === 0 ? undefined : forkOf(exchange);
  const cancel = (reason: Problem): void => exchange.cancel(reason);
  clock?.onCancel(cancel);
  try {
    if (clock !== undefined && stages !== undefined) passOn(await enterStages(stages.opening, clock));
    return await unlessCancelled(opening, exchange);
  } catch (error) {
    opening.then(letGo, () => {});
    throw error;
  } finally {
    clock?.offCancel(cancel);
    clock?.close();
  }
}

function letGo(source: Source): void {
  if (Symbol.asyncIterator in source) void source[Symbol.asyncIterator]().return?.();
}

/** What the answers of a subscription are made with. */
export interface EventAnswersOptions {
  readonly prepared: PreparedOperation;
  readonly variables: GraphqlRequest['variables'];
  readonly plan: OperationPlan | undefined;
  readonly exchange: Exchange;
  readonly contextOf: () => OperationContext;
  /** The last answer, when the source fails. */
  readonly fault: (error: unknown) => FormattedExecutionResult;
  readonly meters: OperationMeters;
  readonly trace: OperationTrace | undefined;
  readonly ended: (() => void) | undefined;
}

/** The answers of a subscription, one for each event; they end with their exchange. */
export function eventAnswers(
  source: AsyncIterable<unknown>,
  options: EventAnswersOptions,
): EventStream<unknown, FormattedExecutionResult> {
  const { prepared, variables, plan, exchange, contextOf, fault, meters, trace, ended } = options;
  const { operation, meter } = prepared;
  meters.opened();
  const answer = async (event: unknown): Promise<FormattedExecutionResult> => {
    const startedAt = performance.now();
    // What calls read for the last event is not what this one should see, and nobody reads how they were made.
    forgetRuns(exchange);
    exchange.attempts.length = 0;
    trace?.eventBegins();
    // One context for each event: what one answer collects is not part of the next.
    const context = contextOf();
    plan?.begin(context);
    const outcome = await operation.event(event, context, variables);
    const { value, outcome: kind } = valueOf(
      outcome,
      context,
      plan && { plan: plan.shown(prepared, variables) },
    );
    meter.ended(kind, startedAt, value.errors);
    trace?.eventEnded(kind);
    return value;
  };
  const onEnd = (): void => {
    meters.closed();
    trace?.closed();
    ended?.();
  };
  const answers = new EventStream(source, { answer, fault, onEnd });
  exchange.onCancel(() => void answers.return());
  return answers;
}
