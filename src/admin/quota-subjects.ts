import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { faultsText } from '../config/zod-faults.ts';
import { nearestName } from '../config/nearest-name.ts';
import type { QuotaLedger } from '../policies/quota/quota-ledger.ts';
import { leftOf } from '../policies/quota/quota-fields.ts';
import { CursorFault, type ListingPage, type UsedOfQuota } from '../policies/quota/quota-listing.ts';
import { subjectOfKey } from '../policies/quota/quota-subject.ts';
import { describedQuota, type OfferedQuota } from '../policies/quota/quota-view.ts';
import { operation } from './operation.ts';

const AWAY = { error: 'Redis does not answer in time, and it alone knows; repeat it when it does' };
const MOST_SUBJECTS = 1000;

const text = z.string().min(1).max(2048);
const listingSchema = z.strictObject({
  quota: text,
  route: text.optional(),
  tier: text.optional(),
  subject: text.optional(),
  sort: z.literal('used').optional(),
  limit: z.coerce.number().int().min(1).max(MOST_SUBJECTS).default(100),
  cursor: z.string().min(1).max(8192).optional(),
});
type Listing = z.output<typeof listingSchema>;

/** Shows who has used something of a quota in the window that runs, page by page. */
export function serveQuotaSubjects(
  server: FastifyInstance,
  quotas: QuotaLedger,
  offered: (tier: string | undefined) => readonly OfferedQuota[],
): void {
  const list = operation('listQuotaSubjects', 'read', {
    summary: 'Who has used something of a quota',
    query: listingSchema,
  });
  server.get('/quotas/subjects', list, async ({ query }, reply) => {
    const read = listingSchema.safeParse(query);
    if (!read.success) return reply.code(400).send({ error: faultsText(read.error, listingSchema, query) });
    const { sort, cursor } = read.data;
    if (sort !== undefined && cursor !== undefined)
      return reply.code(400).send({ error: 'expected no cursor with `sort`, which has one page' });
    const found = theOne(offered(read.data.tier), read.data);
    if (typeof found === 'string') return reply.code(404).send({ error: found });
    return pageOf(quotas, found, read.data).then(
      (page) => (page === undefined ? reply.code(503).send(AWAY) : shown(found, page)),
      (error: unknown) => {
        if (!(error instanceof CursorFault)) throw error;
        return reply.code(400).send({ error: `cursor: ${error.message}` });
      },
    );
  });
}

function pageOf(
  quotas: QuotaLedger,
  { quota: { id, terms } }: OfferedQuota,
  { subject = '', sort, limit, cursor }: Listing,
): Promise<ListingPage | undefined> {
  return quotas.subjects({ id, contains: subject, byUse: sort === 'used', limit, cursor }, terms);
}

/** The quota of a name, or what speaks against one. */
function theOne(offered: readonly OfferedQuota[], { quota, route }: Listing): OfferedQuota | string {
  const named = offered.filter((one) => one.quota.name === quota);
  const own = named.filter(({ routes }) => route === undefined || routes.includes(route));
  const [first] = own;
  if (first === undefined) {
    if (named.length > 0) return `the route ${route ?? ''} has no quota ${quota}`;
    const names = [...new Set(offered.map((one) => one.quota.name))];
    const nearest = nearestName(quota, names);
    const hint = nearest === undefined ? `expected one of ${names.join(', ')}` : `did you mean ${nearest}?`;
    return names.length === 0 ? 'there is no quota at all' : `there is no quota ${quota}; ${hint}`;
  }
  if (new Set(own.map((one) => one.quota.id)).size === 1) return first;
  const routes = own.map((one) => one.routes[0]).join(', ');
  return `there are several called ${quota}; say with \`route\` which one: of ${routes}`;
}

function shown({ quota, routes }: OfferedQuota, { used, next, isWhole }: ListingPage): object {
  const { terms } = quota;
  const [first] = used;
  const window = first && {
    in: terms.calendar.labelOf(first.start),
    startsAt: new Date(first.start * 1000).toISOString(),
    resetsAt: new Date(first.end * 1000).toISOString(),
  };
  const counted = ({ key, ...count }: UsedOfQuota): object => ({
    subject: subjectOfKey(key),
    used: count.used,
    carriedOver: count.carried,
    remaining: leftOf({ ...count, fits: true, news: 0 }, terms),
  });
  return {
    quota: { ...describedQuota(quota), routes },
    ...window,
    subjects: used.map(counted),
    ...(next === undefined ? {} : { next }),
    complete: isWhole,
  };
}
