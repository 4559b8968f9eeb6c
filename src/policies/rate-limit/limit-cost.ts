import { compileNumber } from '../../conditions/condition.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import type { StageInput } from '../stage-factory.ts';
import { fixedCost, type LimitCost } from './limit-cost.schema.ts';

/** What a service says of a request after the fact. */
export interface ReportedCost {
  /** Header field of the answer, in lower case. */
  readonly field: string;
  readonly atMost: number;
}

/** What a request costs, ready to be asked. */
export interface CompiledCost {
  /** What every request costs, or what is taken before its cost is known. */
  readonly cost: number;
  /** The cost of a request, in whole numbers, of the most that there can be; absent where it is always `cost`. */
  readonly costOf?: ((exchange: Exchange, most: number) => number) | undefined;
  readonly reported?: ReportedCost | undefined;
  /** Whether an operation of GraphQL is charged for what it costs. */
  readonly isByQuery?: boolean;
}

/** Where a cost is said. */
export type CostPlace = Pick<StageInput, 'pathParameters' | 'policies'>;

/**
 * Compiles a cost, whatever it is that limits.
 *
 * @throws {Error} for an expression that makes no sense for the route.
 */
export function compileCost(cost: LimitCost, { pathParameters, policies }: CostPlace): CompiledCost {
  const fixed = fixedCost(cost);
  const base = { cost: fixed, costOf: undefined, reported: undefined, isByQuery: cost === 'query' };
  if (typeof cost !== 'object') return base;
  if ('answerHeader' in cost)
    return { ...base, reported: { field: cost.answerHeader, atMost: cost.atMost ?? Infinity } };
  if ('methods' in cost) {
    const { methods, default: other } = cost;
    return bounded(
      base,
      ({ method }) => (Object.hasOwn(methods, method) ? methods[method] : undefined) ?? other,
    );
  }
  if ('perBytes' in cost) {
    // Fails closed: what does not say how long it is would be the cheapest way to send much.
    const unsized = costOfBytes(policies.bodyLimit ?? Infinity, cost.perBytes);
    return bounded(base, ({ request }) => sizeOf(request, cost.perBytes, unsized));
  }
  const numberOf = compileNumber(cost.cel, { params: pathParameters });
  return bounded(base, (exchange) => {
    try {
      return numberOf(exchange);
    } catch {
      return 1;
    }
  });
}

/** The dearest request passes when all is left, rather than never. */
function bounded(base: CompiledCost, costOf: (exchange: Exchange) => number): CompiledCost {
  return { ...base, costOf: (exchange, most) => Math.min(most, Math.max(0, costOf(exchange))) };
}

function sizeOf({ headers }: Exchange['request'], perBytes: number, unsized: number): number {
  const length = headers['content-length'];
  if (length === undefined) return headers['transfer-encoding'] === undefined ? 1 : unsized;
  return costOfBytes(Number(length), perBytes);
}

function costOfBytes(bytes: number, perBytes: number): number {
  return Math.max(1, Math.ceil(bytes / perBytes));
}
