import { z } from 'zod';
import { size, timerDuration } from '../../config/units.ts';
import { policyRegistry } from '../../policies/order.ts';
import { targetPatternFault } from './target-pattern.ts';

/** What a team may be called: what its names begin with, before a dot. */
export const teamName = z
  .string()
  .max(63)
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]*$/, 'expected letters, digits, dashes and underscores');

const any = z.literal('any');
const MOST = 200;

const host = z
  .string()
  .regex(
    /^(\*\.)?[a-z0-9.{}-]+$/,
    'expected a lower-case host name, such as api.example.com or *.example.com; `{team}` stands for the name of the team',
  );

const pathPrefix = z
  .string()
  .regex(
    /^\/(?:[A-Za-z0-9\-._~!$&'()+,;=:@%{}]+(?:\/[A-Za-z0-9\-._~!$&'()+,;=:@%{}]+)*)?$/,
    'expected a path without a slash at its end, such as /orders; what is below it is meant, too; `{team}` stands for the name of the team',
  );

const targetPattern = z.string().superRefine((text, context) => {
  const message = targetPatternFault(text);
  if (message !== undefined) context.addIssue({ code: 'custom', message });
});

const folder = z
  .string()
  .regex(/^(?!\/)(?!.*(?:^|\/)\.\.(?:\/|$)).+$/, 'expected a file or folder below that of this file');

const variable = z
  .string()
  .regex(/^[A-Za-z_{][\w{}]*\*?$/, 'expected the name of a variable, or the beginning of names and a *');

const bounds = z.strictObject(
  Object.fromEntries(
    Object.values(policyRegistry).map((policy) => [
      policy.name,
      z.union([any, z.literal('off'), policy.schema]).optional(),
    ]),
  ),
);

/** What the files of a team may do. */
export const rightsSchema = z
  .strictObject({
    paths: z
      .array(pathPrefix)
      .min(1)
      .max(MOST)
      .default(['/{team}'])
      .describe('Paths that its routes may have, and all below them. Default `/{team}`; `/` for all.'),
    hosts: z
      .array(host)
      .min(1)
      .max(MOST)
      .optional()
      .describe(
        'Hosts that its routes may have, and then have to say; *.example.com for all below it. Default: whatever it says, or nothing.',
      ),
    upstreams: z
      .union([any, z.array(z.string().min(1)).max(MOST)])
      .default([])
      .describe('Upstreams of this file that its routes may lead to, or `any`. Default none.'),
    targets: z
      .union([any, z.array(targetPattern).max(MOST)])
      .default([])
      .describe(
        'Where upstreams of its own may lead: names, `*.` before one for all below it, addresses and CIDR blocks, each with a port or for all; or `any`. Default nowhere.',
      ),
    files: z
      .array(folder)
      .max(MOST)
      .default([])
      .describe('Files and folders of certificates, keys and schemas that it may name. Default none.'),
    variables: z
      .array(variable)
      .max(MOST)
      .default([])
      .describe('Environment variables that it may refer to; ORDERS_* for all that begin so. Default none.'),
    audiences: z
      .union([any, z.array(z.string().min(1).max(256)).max(MOST)])
      .default(['{team}', '{team}.*'])
      .describe(
        'For whom `identity.token` of its upstreams may be; a `*` at the end for all that begin so, or `any`. Default the team and its upstreams: `{team}`, `{team}.*`.',
      ),
    policies: bounds
      .default({})
      .describe(
        'How far its policies may go beyond the defaults of this file, by policy: what it may not be looser than, or `any`. Default: as strict as the defaults, or stricter.',
      ),
    timeouts: z
      .union([
        any,
        z.strictObject({
          connect: timerDuration.optional().describe('Longest time to open a connection. Default 1s.'),
          queue: timerDuration.optional().describe('Longest wait for a free connection. Default 1s.'),
          firstByte: timerDuration
            .optional()
            .describe('Longest time until the head of an answer. Default 30s.'),
          idle: timerDuration.optional().describe('Longest silence while a body streams. Default 30s.'),
        }),
      ])
      .default({})
      .describe('Most that `timeouts` of its upstreams may say, or `any`. Default: what is usual.'),
    maxConnections: z
      .int()
      .min(1)
      .default(256)
      .describe('Most connections to a target of its upstreams. Default 256.'),
    maxHeld: size
      .default(16 * 2 ** 20)
      .describe(
        'Largest `maxBody`, `maxAnswer`, `maxBytes`, `maxMessage`, `maxFrame`, `maxLine` and `maxResponseHead`: what is held in memory for it. Default 16MiB.',
      ),
    maxRoutes: z.int().min(1).default(1000).describe('Most routes of one of its files. Default 1000.'),
    maxTargets: z
      .int()
      .min(1)
      .default(1000)
      .describe('Most upstreams of one of its files, and most targets that these name. Default 1000.'),
    priority: z.int().min(0).default(0).describe('Highest `priority` of its routes. Default 0.'),
  })
  .describe('What the routes and upstreams of a team may do.');

const pattern = z
  .string()
  .min(1)
  .max(500)
  .describe('A path from the folder of this file, with * and ? for names.');

const entry = z.strictObject({
  files: z
    .union([pattern, z.array(pattern).min(1).max(MOST)])
    .describe('Files of teams, such as teams/*.yaml.'),
  team: teamName
    .optional()
    .describe('The team that all of them are of. Default: each is of the one that it is called after.'),
  rights: rightsSchema.prefault({}).describe('What they may do. Default: as little as each says.'),
  onFault: z
    .enum(['refuse', 'leaveOut'])
    .default('refuse')
    .describe(
      'What becomes of a configuration when one of them is faulty: it is refused as a whole, or that file is left out of it and an alarm is given. Default refuse.',
    ),
  follow: z
    .array(z.string().min(1))
    .max(20)
    .default([])
    .describe('Folders that links may lead to, besides the one of this file. Default none.'),
});

/** The `include:` section. */
export const includeSchema = z
  .array(z.union([pattern.transform((files) => entry.parse({ files })), entry]))
  .max(100)
  .describe('Files of teams, with routes and upstreams of their own, and what each of them may do.');

/** The parsed rights. */
export type Rights = z.output<typeof rightsSchema>;

/** One parsed entry. */
export type IncludeEntry = z.output<typeof entry>;

/** Rights with the name of a team filled in. */
export function rightsFor(team: string, rights: Rights): Rights {
  const filled = (texts: readonly string[]): string[] => texts.map((text) => text.replaceAll('{team}', team));
  return {
    ...rights,
    paths: filled(rights.paths),
    hosts: rights.hosts && filled(rights.hosts),
    upstreams: rights.upstreams === 'any' ? 'any' : filled(rights.upstreams),
    targets: rights.targets === 'any' ? 'any' : filled(rights.targets),
    files: filled(rights.files),
    audiences: rights.audiences === 'any' ? 'any' : filled(rights.audiences),
    variables: rights.variables.map((text) =>
      text.replaceAll('{TEAM}', team.toUpperCase().replaceAll('-', '_')),
    ),
  };
}
