import { z } from 'zod';

/** The name of the format, in the first line of a sample. */
export const FORMAT = 'gatehouse-sample';
/** Its version; another one is another format. */
export const VERSION = 1;

const names = z.array(z.string());

/** The first line of a sample. */
export const headerSchema = z.looseObject({
  format: z.literal(FORMAT),
  version: z.literal(VERSION),
  /** SHA-256 of the configuration that was in force when it began. */
  config: z.string(),
  started: z.iso.datetime(),
});

/** Who called, as was found out when it was recorded. */
export const recordedPrincipal = z.looseObject({
  id: z.string().min(1),
  scheme: z.enum(['jwt', 'apiKey', 'session', 'introspection', 'mtls']),
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
  claims: z.record(z.string(), z.unknown()),
});

/** One exchange of a sample. */
export const exchangeSchema = z.looseObject({
  at: z.iso.datetime(),
  method: z.string().min(1),
  url: z.string().min(1),
  headers: z.array(z.tuple([z.string(), z.string()])),
  /** Names of fields that were left out, because they may say secrets. */
  dropped: names,
  from: z.string(),
  as: recordedPrincipal.optional(),
  route: z.string().optional(),
  status: z.int(),
  problem: z.string().optional(),
  by: z.string().optional(),
  upstream: z.string().optional(),
  ms: z.number(),
  /** The body, JSON without secrets; absent where there was none, or it was not kept. */
  body: z.string().optional(),
  /** Why a body was not kept. */
  bodyLeft: z.enum(['too large', 'no JSON', 'cut']).optional(),
  /** The body of its answer, JSON without secrets; absent where there was none, or it was not kept. */
  answer: z.string().optional(),
  /** Why the body of the answer was not kept. */
  answerLeft: z.enum(['too large', 'no JSON', 'cut']).optional(),
});

/** The last line of a sample. */
export const endSchema = z.looseObject({
  end: z.enum(['time', 'max', 'bytes', 'stopped']),
  recorded: z.int(),
  /** Exchanges that were not meant, by rate or per route. */
  skipped: z.int(),
  /** Exchanges that whoever records was too slow for. */
  lost: z.int(),
});

/** One exchange of a sample. */
export type RecordedExchange = z.output<typeof exchangeSchema>;
/** The last line of a sample. */
export type SampleEnd = z.output<typeof endSchema>;
