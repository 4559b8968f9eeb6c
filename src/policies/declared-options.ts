import { z } from 'zod';
import { ConfigError } from '../config/config-fault.ts';
import { toFaults } from '../config/zod-faults.ts';

/**
 * Reads what a decorator was given, by the schema that reads the YAML key of the same name.
 *
 * @param key how the faults name the options, such as `rateLimit`.
 * @param place where the decorator stands, such as `OrdersController.get`.
 * @throws {ConfigError} in the words that a configuration file would be answered with.
 */
export function declaredOptions<Schema extends z.ZodType>(
  key: string,
  options: z.input<Schema>,
  { schema, place }: { schema: Schema; place: string },
): z.output<Schema> {
  const whole = z.strictObject({ [key]: schema });
  const value = { [key]: options };
  const result = whole.safeParse(value);
  if (result.success) return result.data[key] as z.output<Schema>;
  const document = { file: place, value, faultyPaths: [], locate: () => ({}) };
  throw new ConfigError(toFaults(result.error, { document, schema: whole }));
}
