import type { Stage, StageFactory, StageInput } from '../stage.ts';
import { responseTimePolicy } from './response-time.policy.ts';

/** Compiles the `responseTime` policy. */
export class ResponseTimeStageFactory implements StageFactory {
  readonly policy = responseTimePolicy;

  compile({ policies: { responseTime } }: StageInput): Stage | undefined {
    return (
      responseTime && {
        enter: ({ responseHeaders, startedAt }) =>
          void responseHeaders.push(responseTime.field, (performance.now() - startedAt).toFixed(1)),
      }
    );
  }
}

/** Registers the policy in THE ORDER. */
export const responseTime = { policy: responseTimePolicy, factory: ResponseTimeStageFactory };
