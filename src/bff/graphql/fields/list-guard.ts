import type { Type } from '@nestjs/common';
import type { GraphQLField, GraphQLSchema } from 'graphql';
import { PlainFault } from '../../../telemetry/error-facts.ts';
import type { Call } from '../../../calls/call.ts';
import { watchCalls } from '../../../calls/call-watch.ts';
import { Problem } from '../../../problems/problem.ts';
import { ViewRun } from '../../view-run.ts';
import { callsOf, waiverOf } from './calls.decorator.ts';
import type { OperationContext } from '../execution/operation-context.ts';
import { possibleTypes, repeatedTypes } from './repeated-types.ts';
import { resolverFields, type ResolverField } from './resolver-fields.ts';
import { isSectionResolver } from './view-resolver.ts';

type Field = GraphQLField<unknown, OperationContext>;
type Resolve = NonNullable<Field['resolve']>;

/** A field whose resolver can run once per element of a list. */
interface RepeatedField extends ResolverField {
  readonly definition: Field;
  /** `FeedItem.author`. */
  readonly name: string;
  /** `Query.feed`, of whose elements it is a part. */
  readonly list: string;
}

/**
 * Keeps lists from making a call per element. Each field resolver on a type that appears in a list has to say which
 * calls it makes, and each of these has to be merged (`batch`), bounded (`each`) or explicitly allowed.
 *
 * @param watch whether resolvers are also held to what they say, at the price of an async context for each run.
 * @param faults takes a message naming the field, the call, and what to do. Fails closed: who says nothing is refused.
 */
export function guardLists(
  schema: GraphQLSchema,
  resolvers: readonly Type[],
  watch: boolean,
  faults: Set<string>,
): void {
  for (const field of repeatedFields(schema, resolvers)) {
    const calls = callsOf(field.method);
    if (calls === undefined) {
      faults.add(unsaid(field));
      continue;
    }
    const waiver = waiverOf(field.method);
    const repeated = waiver === undefined ? calls.filter((call) => !isMerged(call)) : [];
    for (const call of repeated) faults.add(unmerged(field, call));
    const { definition } = field;
    if (definition.resolve === undefined) continue;
    if (isSectionResolver(field.method)) definition.resolve = marked(field, definition.resolve);
    else if (watch) definition.resolve = watched(field, calls, definition.resolve);
    if (waiver !== undefined) definition.resolve = counted(field, waiver.atMost, definition.resolve);
  }
}

function repeatedFields(schema: GraphQLSchema, resolvers: readonly Type[]): readonly RepeatedField[] {
  const repeated = repeatedTypes(schema);
  return resolvers.flatMap(resolverFields).flatMap((one) => {
    const type = schema.getType(one.type);
    return (type === undefined ? [] : possibleTypes(schema, type)).flatMap((possible) => {
      const list = repeated.get(possible.name);
      const definition = possible.getFields()[one.field] as Field | undefined;
      if (list === undefined || definition === undefined) return [];
      return [{ ...one, definition, list, name: `${possible.name}.${one.field}` }];
    });
  });
}

function isMerged({ plan }: Call<never, unknown>): boolean {
  return plan?.batch !== undefined || plan?.concurrency !== undefined;
}

function unmerged(field: RepeatedField, { name }: Call<never, unknown>): string {
  return (
    `${where(field)}: it would make the call ${name} each time; declare \`batch\` on the call, ` +
    '`each: { concurrency: … }` to bound it, or allow it with @OncePerElement({ atMost, because })'
  );
}

function unsaid(field: RepeatedField): string {
  return `${where(field)}: say which calls it makes with @Calls(…), or that it makes none with @Calls()`;
}

function where({ name, list, origin }: RepeatedField): string {
  return `${name} (${origin}) runs once per element of the list ${list}`;
}

/** Outside production, a call that was not declared is a defect of the resolver. */
function watched(field: RepeatedField, calls: readonly Call<never, unknown>[], resolve: Resolve): Resolve {
  const hear = (call: Call<never, unknown>): void => {
    if (calls.includes(call)) return;
    throw new PlainFault(`${where(field)}: it makes the call ${call.name}, which its @Calls does not name`);
  };
  return (source, args, context, info) => watchCalls(hear, () => resolve(source, args, context, info));
}

/** What the function of a section calls is not known before it runs; the run of its view then looks at it. */
function marked({ list }: RepeatedField, resolve: Resolve): Resolve {
  return (source, args, context, info) => {
    if (source instanceof ViewRun) source.elementOf = list;
    return resolve(source, args, context, info);
  };
}

function counted({ name }: RepeatedField, atMost: number, resolve: Resolve): Resolve {
  const runs = new WeakMap<OperationContext, number>();
  return (source, args, context, info) => {
    const run = (runs.get(context) ?? 0) + 1;
    runs.set(context, run);
    if (run > atMost)
      throw new Problem('request-invalid', { detail: `${name}: at most ${atMost} in one operation.` });
    return resolve(source, args, context, info);
  };
}
