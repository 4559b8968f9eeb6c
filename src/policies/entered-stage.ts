import type { Answer, Exchange } from '../exchange/exchange.ts';
import { askFor } from '../telemetry/store-wait.ts';
import type { Stage } from './stage.ts';

/** Enters one stage; what it waits for is noted where somebody reads that. */
export function enterStage(
  stage: Stage | undefined,
  exchange: Exchange,
): ReturnType<NonNullable<Stage['enter']>> {
  const { spans } = exchange.trace;
  if (spans === undefined || stage?.enter === undefined) return stage?.enter?.(exchange);
  const before = askFor(spans);
  try {
    const entered = stage.enter(exchange);
    if (entered instanceof Promise) spans.wait('stage', nameOf(stage, exchange), entered, wordOf);
    return entered;
  } finally {
    askFor(before);
  }
}

function nameOf(stage: Stage, { route }: Exchange): string {
  for (const name in route?.seats) if (route?.seats[name] === stage) return name;
  return 'entrance';
}

function wordOf(answer: void | Answer): string {
  return answer === undefined ? 'passed' : 'answered';
}
