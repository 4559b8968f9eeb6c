import { isIP } from 'node:net';
import { z } from 'zod';
import { faultsText } from '../config/zod-faults.ts';
import type { Principal } from '../exchange/principal.ts';
import { PlainFault } from '../telemetry/error-facts.ts';

/** Something wrong with what is to be explained; its message is for whoever has asked. */
export class ExplainFault extends PlainFault {}

const names = z.array(z.string().min(1)).default([]);

const principal = z
  .strictObject({
    id: z.string().min(1),
    scheme: z.enum(['jwt', 'apiKey', 'session', 'introspection', 'mtls']).default('jwt'),
    issuer: z.string().optional(),
    subject: z.string().optional(),
    clientId: z.string().optional(),
    apiKeyId: z.string().optional(),
    roles: names,
    permissions: names,
    scopes: names,
    email: z.string().optional(),
    tenant: z.string().optional(),
    tier: z.string().optional(),
    claims: z.record(z.string(), z.unknown()).default({}),
  })
  .describe('Who calls, as the authentication would have found out.');

/** What is to be explained, as the admin listener takes it. */
export const explainSchema = z.strictObject({
  request: z
    .string()
    .describe('Method and target: `GET /api/v2/users/7`, or `GET https://api.example.com/`.'),
  headers: z.array(z.string()).default([]).describe('Header fields, each as `Name: value`.'),
  as: principal.optional(),
  body: z.string().optional(),
  from: z
    .string()
    .refine((text) => isIP(text) !== 0, 'expected an IP address')
    .default('127.0.0.1')
    .describe('The address that it comes from. Default 127.0.0.1.'),
});

/** What is to be explained. */
export type ExplainInput = z.output<typeof explainSchema>;

/**
 * Reads what is to be explained.
 *
 * @throws {ExplainFault} that lists what is wrong with it.
 */
export function readExplainInput(input: unknown): ExplainInput {
  return readBy(explainSchema, input);
}

/**
 * Reads who calls.
 *
 * @throws {ExplainFault} that lists what is wrong with it.
 */
export function readPrincipal(input: unknown): Principal {
  return Object.freeze(principalOf(readBy(principal, input)));
}

/** The caller that somebody describes; it is a user unless it is told apart: by a key, or as an application. */
export function principalOf({ ...given }: NonNullable<ExplainInput['as']>): Principal {
  const { issuer, clientId, apiKeyId, email, tenant, tier, scheme } = given;
  const subject = given.subject ?? (scheme === 'apiKey' || scheme === 'mtls' ? undefined : given.id);
  return { ...given, issuer, clientId, apiKeyId, email, tenant, tier, subject };
}

function readBy<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const read = schema.safeParse(input);
  if (read.success) return read.data;
  throw new ExplainFault(faultsText(read.error, schema, input));
}
