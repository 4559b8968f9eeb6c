import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { nearestName } from '../config/nearest-name.ts';
import { faultsText } from '../config/zod-faults.ts';
import {
  TIERS_KEY,
  TIER_LIMITS_KEY,
  TIER_OVERRIDES_KEY,
  type RedisLiveTiers,
  type TierOrderEnd,
} from '../policies/rate-limit/live-tiers.redis.ts';
import { tierLimitOrder, tierSubjectOrder, tierSubjectQuery } from '../policies/rate-limit/tier-order.ts';
import { shownLimit, shownSubjects, shownTiers } from '../policies/rate-limit/tier-view.ts';
import type { TierLimit, Tiers } from '../policies/rate-limit/tiers.schema.ts';
import type { Snapshots } from '../snapshot/snapshots.ts';
import type { AdminOrders } from './admin-orders.ts';
import { noteOrder } from './audited-orders.ts';
import { operation } from './operation.ts';

const PATH = '/tiers';
const NO_STORE = {
  error:
    'tiers are changed where Redis keeps them: set REDIS_URL. Without it, change `tiers` of the configuration',
};
const AWAY = {
  error: 'Redis does not answer, and nobody knows whether it is so now; repeat it when Redis is back',
};
const FULL = { error: 'there is room for 10 000 names only; take away some that are not needed any more' };

type Orders = Pick<AdminOrders, 'tiers' | 'logger'>;

/** Shows tiers and who is of which, and takes orders about both, which hold at all replicas within a second. */
export function serveTiers(server: FastifyInstance, snapshots: Snapshots, orders: Orders): void {
  const ofFile = (): Tiers => snapshots.current.source.value.tiers ?? {};
  const desk = new TierDesk(orders, ofFile);
  server.get(PATH, operation('listTiers', 'read', { summary: 'The tiers in force' }), (_request, reply) =>
    desk.tiers(reply),
  );
  const list = operation('listTierSubjects', 'read', {
    summary: 'Who is of which tier',
    query: tierSubjectQuery,
  });
  server.get(`${PATH}/subjects`, list, (request, reply) => desk.subjects(request, reply));
  // What a tier allows is part of the configuration.
  const limit = operation('setTierLimit', 'admin', {
    summary: 'Give a tier another limit',
    body: tierLimitOrder,
  });
  server.post(`${PATH}/limits`, limit, (request, reply) => desk.limit(request, reply));
  const assign = operation('assignTier', 'admin', {
    summary: 'Give somebody a tier or a limit',
    body: tierSubjectOrder,
  });
  server.post(`${PATH}/subjects`, assign, (request, reply) => desk.subject(request, reply));
}

/** What was said makes no sense; its message is for the operator. */
class OrderFault extends Error {}

class TierDesk {
  readonly #orders: Orders;
  readonly #ofFile: () => Tiers;

  constructor(orders: Orders, ofFile: () => Tiers) {
    this.#orders = orders;
    this.#ofFile = ofFile;
  }

  async tiers(reply: FastifyReply): Promise<FastifyReply> {
    const live = this.#orders.tiers;
    if (live === undefined) return reply.send({ store: 'none', tiers: shownTiers(this.#ofFile()) });
    const book = await live.look();
    return book === undefined
      ? reply.code(503).send(AWAY)
      : reply.send({
          store: 'redis',
          tiers: shownTiers(this.#ofFile(), book),
          overrides: book.overrides.size,
        });
  }

  async subjects({ query }: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    return orRefuse(reply, async () => {
      const asked = read(tierSubjectQuery, query);
      const live = this.#orders.tiers;
      if (live === undefined)
        return reply.send({ store: 'none', ...shownSubjects(this.#ofFile(), undefined, asked) });
      const book = await live.look();
      if (book === undefined) return reply.code(503).send(AWAY);
      return reply.send({ store: 'redis', ...shownSubjects(this.#ofFile(), book, asked) });
    });
  }

  async limit(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    return this.#taken(reply, async (live) => {
      const { tier, limit, create, reason } = read(tierLimitOrder, request.body);
      await this.#mustBeKnown(live, tier, create || limit === null);
      const shown = limit === null ? null : shownLimit(limit);
      this.#note(request, { tier, limit: JSON.stringify(shown), reason });
      const end = await live.say(TIER_LIMITS_KEY, tier, textOf(limit));
      return answer(reply, end, { tier, limit: shown });
    });
  }

  async subject(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    return this.#taken(reply, async (live) => {
      const { subject, tier, limit, reason } = read(tierSubjectOrder, request.body);
      if (tier !== undefined && tier !== null) await this.#mustBeKnown(live, tier, false);
      const shown = limit === undefined || limit === null ? limit : shownLimit(limit);
      this.#note(request, {
        subject,
        tier: tier === null ? 'none' : tier,
        limit: JSON.stringify(shown),
        reason,
      });
      const ends = [
        tier === undefined ? 'done' : await live.say(TIERS_KEY, subject, tier ?? undefined),
        limit === undefined ? 'done' : await live.say(TIER_OVERRIDES_KEY, subject, textOf(limit)),
      ] as const;
      const end = ends.find((one) => one !== 'done') ?? 'done';
      return answer(reply, end, { subject, tier, limit: shown });
    });
  }

  // Where nobody describes tiers, those of credentials are anybody's guess.
  async #mustBeKnown(live: RedisLiveTiers, tier: string, mayBeNew: boolean): Promise<void> {
    const known = new Set([...Object.keys(this.#ofFile()), ...((await live.look())?.limits.keys() ?? [])]);
    if (mayBeNew || known.size === 0 || known.has(tier)) return;
    const nearest = nearestName(tier, known);
    const hint =
      nearest === undefined ? `expected one of ${[...known].join(', ')}` : `did you mean "${nearest}"?`;
    throw new OrderFault(`tier: there is no tier "${tier}"; ${hint}`);
  }

  async #taken(
    reply: FastifyReply,
    act: (live: RedisLiveTiers) => Promise<FastifyReply>,
  ): Promise<FastifyReply> {
    const { tiers } = this.#orders;
    return tiers === undefined ? reply.code(409).send(NO_STORE) : orRefuse(reply, () => act(tiers));
  }

  #note(request: FastifyRequest, details: Readonly<Record<string, string | undefined>>): void {
    noteOrder(request, details);
    this.#orders.logger.info({ tiers: { ...details, from: request.ip } }, 'tiers changed by an operator');
  }
}

function textOf(limit: TierLimit | null): string | undefined {
  if (limit === null) return undefined;
  return limit === 'off' ? limit : JSON.stringify(shownLimit(limit));
}

function answer(reply: FastifyReply, end: TierOrderEnd, done: object): FastifyReply {
  if (end === 'done') return reply.send(done);
  return end === 'full' ? reply.code(507).send(FULL) : reply.code(503).send(AWAY);
}

async function orRefuse(reply: FastifyReply, act: () => Promise<FastifyReply>): Promise<FastifyReply> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof OrderFault) return reply.code(400).send({ error: error.message });
    throw error;
  }
}

function read<Schema extends z.ZodType>(schema: Schema, given: unknown): z.output<Schema> {
  const found = schema.safeParse(given);
  if (!found.success) throw new OrderFault(faultsText(found.error, schema, given));
  return found.data;
}
