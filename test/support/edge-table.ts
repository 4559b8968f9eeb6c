import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

const text = z.union([z.string(), z.number()]).transform(String);
const pattern = z.strictObject({ matches: z.string().refine(compiles, { error: 'no regular expression' }) });
const fields = z.record(
  z.string().toLowerCase(),
  z.union([z.boolean(), text.transform((one) => [one]), z.array(text), pattern]),
);
const payload = z.union([
  z.string(),
  z.strictObject({ base64: z.base64() }),
  z.strictObject({ json: z.json() }),
]);
const seen = {
  headers: fields.default({}),
  body: z.union([z.string(), pattern, z.strictObject({ base64: z.base64() })]).optional(),
  json: z.json().optional(),
};
const received = z.strictObject({
  service: z.enum(['a', 'b', 'c']).optional(),
  method: z.string().optional(),
  target: z.string().optional(),
  ...seen,
});
const upstream = z.union([
  z.literal('none').transform(() => []),
  received.transform((one) => [one]),
  z.array(received),
]);
const answer = z.strictObject({ status: z.int(), ...seen });
const line = z.union([
  z.string(),
  z.record(z.string(), text).transform((one) =>
    Object.entries(one)
      .map(([name, value]) => `${name}: ${value}`)
      .join('\r\n'),
  ),
]);
const request = z
  .strictObject({
    method: z.string().default('GET'),
    target: z.string().default('/'),
    headers: z
      .union([
        z
          .record(z.string(), z.union([text.transform((one) => [one]), z.array(text)]))
          .transform((one) =>
            Object.entries(one).flatMap(([name, values]) => values.map((value) => `${name}: ${value}`)),
          ),
        z.array(line),
      ])
      .default([]),
    body: payload.optional(),
    raw: z.union([z.string().transform((one) => [one]), z.array(z.string()).min(1)]).optional(),
  })
  .refine(({ raw, body, target }) => raw === undefined || (body === undefined && target === '/'), {
    error: 'raw stands alone',
  });
const said = z.strictObject({
  waitMs: z.int().min(0).default(0),
  status: z.int().default(200),
  headers: z.record(z.string(), z.union([text, z.array(text)])).default({}),
  body: payload.default(''),
});
const row = z.strictObject({
  name: z.string().min(1),
  request,
  answer: z.union([said.transform((one) => [one]), z.array(said).min(1)]).optional(),
  expect: answer
    .extend({
      status: z.int().optional(),
      answers: z.array(answer).min(1).optional(),
      upstream: upstream.optional(),
    })
    .refine(({ status, answers }) => (status === undefined) !== (answers === undefined), {
      error: 'either a status or answers',
    }),
});
const refusal = z.strictObject({
  name: z.string().min(1),
  config: z.record(z.string(), z.json()),
  faults: z.array(z.string().min(1)).min(1),
});
const table = z.strictObject({
  title: z.string().min(1),
  config: z.record(z.string(), z.json()),
  environment: z.record(z.string(), text).default({}),
  warnings: z.array(z.string().min(1)).optional(),
  cases: z.array(row).min(1).superRefine(unique),
  refusals: z.array(refusal).superRefine(unique).default([]),
});

/** A request, its place in a configuration, and what has to come of it. */
export type EdgeTable = z.output<typeof table>;
/** One row. */
export type EdgeCase = EdgeTable['cases'][number];
/** What a client or a service has to see of a message. */
export type Seen = Pick<z.output<typeof received>, 'headers' | 'body' | 'json'>;
/** What a service has to receive. */
export type Received = z.output<typeof received>;
/** A body of a row. */
export type Payload = z.output<typeof payload>;

/**
 * Every table of a folder.
 *
 * @throws Error when a table says anything that its form does not know: a typo must not make a row pass.
 */
export function readTables(folder: string): readonly (EdgeTable & { readonly file: string })[] {
  const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
  return files.sort().map((file) => ({ file, ...readTable(readFileSync(join(folder, file), 'utf8'), file) }));
}

/** Reads one table. */
export function readTable(yaml: string, file: string): EdgeTable {
  const result = table.safeParse(parse(yaml));
  if (!result.success) throw new Error(`${file}:\n${explain(result.error.issues).join('\n')}`);
  return result.data;
}

/** The bytes of a body. */
export function bytesOf(body: Payload): Buffer {
  if (typeof body === 'string') return Buffer.from(body);
  return 'base64' in body ? Buffer.from(body.base64, 'base64') : Buffer.from(JSON.stringify(body.json));
}

function unique(rows: readonly { readonly name: string }[], context: z.RefinementCtx): void {
  const names = new Set<string>();
  rows.forEach(({ name }, index) => {
    if (names.has(name))
      context.addIssue({ code: 'custom', path: [index, 'name'], message: `a second "${name}"` });
    names.add(name);
  });
}

function compiles(source: string): boolean {
  try {
    new RegExp(source);
    return true;
  } catch {
    return false;
  }
}

/** Each branch of a union says what it minds. */
function explain(issues: readonly z.core.$ZodIssue[], above: readonly PropertyKey[] = []): string[] {
  return issues.flatMap((issue) => {
    const path = [...above, ...issue.path];
    if (issue.code === 'invalid_union') return issue.errors.flatMap((branch) => explain(branch, path));
    return [`${path.map(String).join('.')}: ${issue.message}`];
  });
}
