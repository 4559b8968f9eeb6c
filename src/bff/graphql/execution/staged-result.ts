import type { FormattedExecutionResult } from 'graphql';
import type { Answer } from '../../../exchange/exchange.ts';

/** What a stage answers over HTTP, as the result of an operation; undefined for what is no answer of GraphQL. */
export function stagedResult({ body }: Answer): FormattedExecutionResult | undefined {
  try {
    const result: unknown = JSON.parse(body.toString());
    const isResult =
      typeof result === 'object' && result !== null && ('data' in result || 'errors' in result);
    return isResult ? (result as FormattedExecutionResult) : undefined;
  } catch {
    return undefined;
  }
}
