import { z } from 'zod';
import { refuseDeclaration } from '../config/code-ledger.ts';
import type { CodeSite } from '../config/code-site.ts';
import { toFaults } from '../config/zod-faults.ts';

/**
 * Reads what a decorator was given, by the schema that reads the YAML key of the same name.
 *
 * @param key how the faults name the options, such as `rateLimit`.
 * @param place where the decorator stands, such as `OrdersController.get`.
 * @param site where the decorator stands in code. Default unknown.
 * @returns undefined for what is wrong, while declarations are collected: then it is told with all others.
 * @throws {ConfigError} in the words that a configuration file would be answered with.
 */
export function declaredOptions<Schema extends z.ZodType>(
  key: string,
  options: z.input<Schema>,
  { schema, place, site, decorator }: DeclaredPlace<Schema>,
): z.output<Schema> | undefined {
  const whole = z.strictObject({ [key]: schema });
  const value = { [key]: options };
  const result = whole.safeParse(value);
  if (result.success) return result.data[key] as z.output<Schema>;
  const document = { file: place, value, faultyPaths: [], locate: () => ({}) };
  const faults = toFaults(result.error, { document, schema: whole });
  refuseDeclaration(
    faults.map((fault) => ({ ...fault, code: { decorator } })),
    site,
  );
  return undefined;
}

interface DeclaredPlace<Schema> {
  readonly schema: Schema;
  /** Such as `OrdersController.get`. */
  readonly place: string;
  readonly site?: CodeSite | undefined;
  /** Such as `@Deadline`. */
  readonly decorator?: string | undefined;
}
