import { z } from 'zod';
import { refuseDeclaration } from '../config/code-ledger.ts';
import { toFaults } from '../config/zod-faults.ts';
import { codeOf, placeName } from './placements.ts';

/**
 * Reads what a decorator was given, by the schema that reads the YAML key of the same name.
 *
 * @param key how the faults name the options, such as `rateLimit`.
 * @returns undefined for what is wrong, while declarations are collected: then it is told with all others.
 * @throws {ConfigError} in the words that a configuration file would be answered with.
 */
export function declaredOptions<Schema extends z.ZodType>(
  key: string,
  options: z.input<Schema>,
  { schema, target, member, decorator }: DeclaredPlace<Schema>,
): z.output<Schema> | undefined {
  const whole = z.strictObject({ [key]: schema });
  const value = { [key]: options };
  const result = whole.safeParse(value);
  if (result.success) return result.data[key] as z.output<Schema>;
  const document = { file: placeName(target, member), value, faultyPaths: [], locate: () => ({}) };
  const faults = toFaults(result.error, { document, schema: whole });
  const code = { at: codeOf(target, member), decorator };
  refuseDeclaration(faults.map((fault) => ({ ...fault, code })));
  return undefined;
}

interface DeclaredPlace<Schema> {
  readonly schema: Schema;
  /** What the decorator is called with. */
  readonly target: object;
  readonly member: string | symbol | undefined;
  /** Such as `@Deadline`. */
  readonly decorator: string;
}
