import { z } from 'zod';

const text = z.string().min(1);

function isPattern(source: string): boolean {
  try {
    return new RegExp(source, 'u') instanceof RegExp;
  } catch {
    return false;
  }
}

const pattern = z.strictObject({
  matches: text.refine(isPattern, 'expected a regular expression').describe('A regular expression for a part of it.'),
}); // prettier-ignore

const value = z.union([z.string(), z.null(), pattern]);
const fields = z.record(z.string(), value);
const count = z.int().min(0);
const contains = z.union([text, z.array(text)]).transform((given) => [given].flat());

const received = z.union([
  z.literal('none'),
  z.strictObject({
    times: count.optional().describe('How often it was asked.'),
    target: text.optional().describe('The target that was asked, as the configuration has it.'),
    method: text.optional(),
    path: z.union([text, pattern]).optional().describe('Path and query; of gRPC `/package.Service/Method`.'),
    headers: fields.optional().describe('Fields or metadata that it got; null for one that it did not get.'),
    body: z.unknown().optional().describe('The body as text, or as JSON; of objects only these members.'),
    message: z.unknown().optional().describe('Of gRPC: the message as JSON; of objects only these members.'),
  }),
]);

/** What has to come of a request; what is not said is not looked at. */
export const expectation = z
  .strictObject({
    route: text.optional().describe('Id of the route that takes it; `none` for none.'),
    status: z.int().min(100).max(599).optional().describe('Status of the answer.'),
    problem: text.optional().describe('Code of the problem that it is refused with; `none` for none.'),
    deniedBy: text.optional().describe('The policy that refuses it; `none` for none.'),
    rule: text.optional().describe('What of that policy refuses it, such as `anyRole(admin)`; `none` for none.'),
    upstream: text.optional().describe('The upstream that is asked; `none` for none.'),
    received: z.record(text, received).optional().describe('What upstreams got, by name; `none` for nothing.'),
    headers: fields.optional().describe('Fields of the answer; null for one that is not there.'),
    body: z.unknown().optional().describe('Body of the answer, as text or as JSON; of objects only these members.'),
    bodyContains: contains.optional().describe('Texts that are in the body.'),
    bodyLacks: contains.optional().describe('Texts that are not in the body.'),
  })
  .refine((given) => Object.values(given).some((one) => one !== undefined), 'expected at least one thing to expect'); // prettier-ignore

/** What has to come of a request. */
export type Expectation = z.output<typeof expectation>;
/** A text that is expected: itself, a pattern, or none. */
export type ExpectedText = z.output<typeof value>;
