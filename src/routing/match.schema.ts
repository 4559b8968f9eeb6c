import { z } from 'zod';
import { patternText } from '../config/linear-pattern.ts';
import type { ValueMatch } from './route.ts';
import { TOKEN } from '../config/field-name.ts';

/** No path of an API is longer; what is looked at for each of its segments takes time. */
const LONGEST_PATH = 2000;

const MOST_EXCEPTED = 200;
const PREFIX = /^(?:\/[A-Za-z0-9\-._~!$&'()+,;=:@%]+)+$/;

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'] as const;

/** A regular expression of the file; one that could backtrack is a fault where it stands. */
const regex = patternText().describe('RE2 expression for the whole value.');

const present = z.boolean().describe('Whether it is there at all, with whatever value.');
const prefix = z.string().min(1).describe('What the value begins with.');

const value = z
  .union([
    z.string(),
    z.strictObject({ exact: z.string().describe('The value.') }).transform(({ exact }) => exact),
    z.strictObject({ present }),
    z.strictObject({ prefix }),
    z.strictObject({ regex }),
  ])
  .transform((one): ValueMatch => one)
  .describe('A value, or one of `{ exact }`, `{ present }`, `{ prefix }`, `{ regex }`.');

const token = z.string().regex(TOKEN, 'expected a header field name');
const cookieName = z.string().regex(TOKEN, 'expected the name of a cookie');

/** What a route of either door asks of a request besides its method and path. */
export const conditionsSchema = z.strictObject({
  hosts: z
    .array(
      z
        .string()
        .regex(
          /^(\*\.)?[a-z0-9.-]+$/,
          'expected a lower-case host name, such as api.example.com or *.example.com',
        ),
    )
    .min(1)
    .optional()
    .describe('Host names; default all. A leading *. stands for one or more labels.'),
  headers: z.record(token, value).optional().describe('Header fields, by name.'),
  query: z.record(z.string().min(1), value).optional().describe('Parameters of the query, by name.'),
  cookies: z.record(cookieName, value).optional().describe('Cookies, by name.'),
});

/** The `match` of a route of the file. */
export const matchSchema = z.strictObject({
  methods: z.array(z.enum(METHODS)).min(1).optional().describe('Methods; default all. GET takes HEAD too.'),
  hosts: conditionsSchema.shape.hosts,
  path: z
    .string()
    .startsWith('/', 'expected a path that starts with "/"')
    .max(LONGEST_PATH, `expected at most ${LONGEST_PATH} characters`)
    .describe('Exact path; {name} or {name:regex} for one segment, a trailing /* for the rest.'),
  headers: conditionsSchema.shape.headers,
  query: conditionsSchema.shape.query,
  cookies: conditionsSchema.shape.cookies,
  ports: z
    .array(z.int().min(1).max(65_535))
    .min(1)
    .optional()
    .describe('Ports of the listeners that the request may have come to. Default all.'),
  except: z
    .array(
      z
        .string()
        .max(LONGEST_PATH)
        .regex(PREFIX, 'expected a path without a slash at its end, such as /admin'),
    )
    .min(1)
    .max(MOST_EXCEPTED)
    .optional()
    .describe('Paths that it does not take though `path` does, and all below them. Default none.'),
});

/** How a route reads paths that not everybody reads alike. */
export const pathsSchema = z
  .strictObject({
    encodedSlashes: z
      .enum(['refuse', 'pass'])
      .default('refuse')
      .describe(
        'What becomes of a %2F: 400, or a character of its segment, forwarded as it is. Default refuse.',
      ),
    trailingSlash: z
      .enum(['refuse', 'ignore', 'distinct'])
      .default('refuse')
      .describe(
        'A path with one slash more or less at its end: 404, the same, or another path that another route may take. Default refuse.',
      ),
  })
  .describe('How paths are read.');

/** Goes before what the other routes are ordered by. */
export const prioritySchema = z
  .int()
  .min(-1_000_000)
  .max(1_000_000)
  .describe('Routes with a higher one are asked first, whatever they match. Default 0.');

/** What {@link matchSchema} makes. */
export type MatchConditions = z.output<typeof conditionsSchema> & {
  readonly ports?: readonly number[] | undefined;
  readonly except?: readonly string[] | undefined;
};
