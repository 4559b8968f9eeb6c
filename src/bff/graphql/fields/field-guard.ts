import type { GraphQLField } from 'graphql';
import type { Exchange } from '../../../exchange/exchange.ts';
import { enterSeat } from '../../../policies/seats.ts';
import type { Stage } from '../../../policies/stage.ts';
import { Problem } from '../../../problems/problem.ts';
import { parentOfSections } from '../../view-parents.ts';
import { ViewRun } from '../../view-run.ts';
import type { Requirement } from './field-requirements.ts';
import type { OperationContext } from '../execution/operation-context.ts';

/** What has to hold before a field resolves. */
export interface FieldGuard {
  readonly requirements: readonly Requirement[];
  /** Takes tokens each time that the field runs. */
  readonly limit: Stage | undefined;
}

/**
 * Lets a field resolve only when its requirements were granted to the operation, which was decided before anything
 * ran: what was not decided is refused (fail closed). A refused field takes no tokens, and neither does an event. A
 * subscription that is masked may be had, and each of its events shows the mask.
 */
export function guardField(
  field: GraphQLField<unknown, OperationContext>,
  { requirements: unordered, limit }: FieldGuard,
): void {
  const { name, resolve, subscribe } = field;
  // Who lacks both sees the error: a mask must not open what something else has closed.
  const requirements = unordered.toSorted((a, b) => Number(a.masks) - Number(b.masks));
  const asked = requirements.filter(({ stage }) => stage.field !== undefined);
  const strict = asked.filter((one) => !one.masks);
  const masks = asked.filter((one) => one.masks);
  const atOpening = strict.filter(({ stage }) => stage.field?.asksParent === false);
  const lacking = ({ granted }: OperationContext): Requirement | undefined =>
    requirements.find((requirement) => !granted.has(requirement));
  const enter = (exchange: Exchange): undefined | Promise<undefined> =>
    subscribe === undefined ? enterSeat(limit, exchange) : undefined;
  field.resolve = (source, args, context, info) => {
    const lacked = lacking(context);
    const refusing =
      lacked?.masks === false ? lacked : firstRefused(strict, context.exchange, args, parentOf(source));
    if (refusing !== undefined) throw new Problem('permission-denied', { by: refusing.by });
    const masking = lacked ?? firstRefused(masks, context.exchange, args, parentOf(source));
    if (masking !== undefined) return masking.mask;
    const run = (): unknown =>
      resolve === undefined
        ? (source as Record<string, unknown> | null | undefined)?.[name]
        : resolve(source, args, context, info);
    const pending = enter(context.exchange);
    return pending === undefined ? run() : pending.then(run);
  };
  if (subscribe === undefined) return;
  field.subscribe = async (source, args, context, info) => {
    const lacked = lacking(context);
    if (lacked?.masks === false) throw new Problem('permission-denied', { by: lacked.by });
    // What is asked of the object is asked of each event.
    const refusing = firstRefused(atOpening, context.exchange, args, parentOf(source));
    if (refusing !== undefined) throw new Problem('permission-denied', { by: refusing.by });
    await enterSeat(limit, context.exchange);
    return subscribe(source, args, context, info) as unknown;
  };
}

// The same as over REST: nothing of what runs a view is for conditions to see.
function parentOf(source: unknown): unknown {
  return source instanceof ViewRun ? parentOfSections(source) : source;
}

/**
 * The first of several requirements that an object and arguments do not meet. What has no such condition is met.
 *
 * @throws whatever a stage throws but `permission-denied`; of a requirement that masks nothing is thrown: whoever cannot
 * be told to see a value sees the mask.
 */
export function firstRefused(
  requirements: readonly Requirement[],
  exchange: Exchange,
  args: Readonly<Record<string, unknown>>,
  parent: unknown,
): Requirement | undefined {
  for (const one of requirements) {
    try {
      one.stage.field?.decide(exchange, args, parent);
    } catch (error) {
      // Fails closed: what cannot be told of is masked.
      if (one.masks || (error instanceof Problem && error.code === 'permission-denied')) return one;
      throw error;
    }
  }
  return undefined;
}
