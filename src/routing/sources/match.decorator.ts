import { z } from 'zod';
import { declaredOptions } from '../../policies/declared-options.ts';
import { noteFaulty, notePlacement } from '../../policies/placements.ts';
import { conditionsSchema, pathsSchema } from '../match.schema.ts';

const METADATA_KEY = 'gatehouse:match';

/** What placements of it are called. */
export const MATCH = 'match';

const handlerMatchSchema = conditionsSchema.extend({
  encodedSlashes: pathsSchema.shape.encodedSlashes.unwrap().optional(),
});

/** What a handler asks of a request besides its method and path. */
export type HandlerMatch = z.output<typeof handlerMatchSchema>;

/**
 * Has a controller or handler take only requests with these hosts, header fields, query parameters and cookies, said as
 * under `match:` of a route of the file. A request that does not fit goes on to the routes of the file. On a handler it
 * stands in place of what the controller says.
 *
 * Handlers of one method and path are told apart by it, as routes of the file are: the one with more conditions is asked
 * first.
 *
 * @throws {ConfigError} in the words that a configuration file would be answered with.
 */
export function Match(conditions: z.input<typeof handlerMatchSchema>): MethodDecorator & ClassDecorator {
  return (target: object, key?: string | symbol, descriptor?: PropertyDescriptor): void => {
    if (!notePlacement(MATCH, target, key, descriptor)) return;
    const place = { schema: handlerMatchSchema, target, member: key, decorator: '@Match' };
    const value = declaredOptions(MATCH, conditions, place);
    if (value === undefined) noteFaulty(target, descriptor);
    else Reflect.defineMetadata(METADATA_KEY, value, (descriptor?.value as object | undefined) ?? target);
  };
}

/** What was said with {@link Match} on a class or a method. */
export function matchDeclaredOn(target: object): HandlerMatch | undefined {
  return Reflect.getMetadata(METADATA_KEY, target) as HandlerMatch | undefined;
}
