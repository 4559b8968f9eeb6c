import { Injectable } from '@nestjs/common';
import type { OperationContract } from '../contracts/operation-contract.ts';
import type { JsonSchema } from '../contracts/openapi.ts';
import type { AnswerSink } from '../exchange/answer-sink.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { QuotaLedger } from '../policies/quota/quota-ledger.ts';
import { quotaKeyOf, quotaSubjectOf } from '../policies/quota/quota-subject.ts';
import { countedQuota, quotasOf, quotaTierOf, type OfferedQuota } from '../policies/quota/quota-view.ts';
import { Problem } from '../problems/problem.ts';
import { toProblem } from '../problems/render-problem.ts';
import type { Foreseen } from '../routing/foreseen.ts';
import type { ActionDefinition, ActionKind, ActionSource, RouteAction } from '../routing/route-action.ts';
import type { Route } from '../routing/route.ts';
import type { RouteTable } from '../routing/route-table.ts';

/** What answers with the quotas of whoever asks. */
export const QUOTAS_ACTION: ActionDefinition = Object.freeze({ kind: 'quotas' });

/** No route of the file is one: they come with `quotas`. */
const quotasSource: ActionSource = {
  kind: 'quotas',
  key: 'quotas',
  keys: {},
  hasUpstream: false,
  alone: 'nobody else is asked',
  read: () => ({ definitions: [], faults: [] }),
};

/** The route that tells callers what is left of their quotas. */
@Injectable()
export class QuotasKind implements ActionKind {
  readonly source = quotasSource;

  constructor(private readonly ledger: QuotaLedger) {}

  compile(): RouteAction {
    return new QuotasAction(this.ledger);
  }
}

const TEXT: JsonSchema = { type: 'string' };
const UNITS: JsonSchema = { type: 'integer', minimum: 0 };
const TIME: JsonSchema = { type: 'string', format: 'date-time' };
const QUOTA: JsonSchema = {
  type: 'object',
  properties: {
    name: TEXT,
    route: { ...TEXT, description: 'The route that it is of alone; absent for one of several.' },
    key: { ...TEXT, description: 'Whose it is.' },
    window: { ...TEXT, enum: ['hour', 'day', 'month'] },
    timeZone: TEXT,
    limit: UNITS,
    mode: { ...TEXT, enum: ['hard', 'soft'] },
    in: { ...TEXT, description: 'The window that runs, such as `2026-03` or `2026-03-29`.' },
    used: UNITS,
    carriedOver: {
      ...UNITS,
      description: 'Units that were left of the last window and are good in this one.',
    },
    remaining: UNITS,
    startsAt: TIME,
    resetsAt: TIME,
  },
  required: ['name', 'key', 'window', 'timeZone', 'limit', 'mode', 'in', 'used', 'carriedOver', 'remaining', 'startsAt', 'resetsAt'], // prettier-ignore
};
const ANSWER: JsonSchema = {
  type: 'object',
  properties: { quotas: { type: 'array', items: QUOTA } },
  required: ['quotas'],
};

class QuotasAction implements RouteAction {
  readonly kind = 'quotas';
  readonly target = 'quotas of the caller';
  readonly #ledger: QuotaLedger;
  /** By tier; of the table that it answers for, which routes are added to as they are learned. */
  readonly #known = new WeakMap<readonly Route[], Map<string | undefined, readonly OfferedQuota[]>>();

  constructor(ledger: QuotaLedger) {
    this.#ledger = ledger;
  }

  answer(exchange: Exchange, _route: Route, sink: AnswerSink): void {
    this.#tell(exchange).then(
      (body) => {
        const length = ['content-length', String(body.length)];
        sink.start(200, ['content-type', 'application/json', ...length, 'cache-control', 'no-store']);
        if (exchange.method !== 'HEAD') sink.data(body);
        sink.end();
      },
      (error: unknown) => sink.fail(toProblem(error)),
    );
  }

  foresee(): Foreseen {
    return { answer: 'the quotas of the caller', requests: [] };
  }

  contract(): OperationContract {
    const content = { 'application/json': { schema: ANSWER } };
    return {
      summary: 'What is left of the quotas of the caller.',
      parameters: [],
      answers: { 200: { description: 'The quotas of the caller, in the windows that run.', content } },
      problems: ['credentials-missing', 'quota-unavailable'],
    };
  }

  async #tell(exchange: Exchange): Promise<Buffer> {
    const { principal, snapshot } = exchange;
    // Fails closed, whatever the route was made to say: what counts by address is nobody's to ask for.
    if (principal === undefined) throw new Problem('credentials-missing');
    const own =
      snapshot === undefined
        ? []
        : this.#offered(snapshot.table, quotaTierOf(snapshot.table.routes, exchange));
    const keys = own.map(({ quota: { key, id } }) => quotaKeyOf(quotaSubjectOf(key, exchange), id));
    const reply = await this.#ledger.look(
      keys,
      own.map(({ quota }) => quota.terms),
    );
    if (reply === undefined) throw new Problem('quota-unavailable', { headers: { 'retry-after': '1' } });
    const quotas = reply.counts.flatMap((count, i) => {
      const quota = own[i]?.quota;
      return quota === undefined ? [] : [countedQuota(quota, count)];
    });
    return Buffer.from(JSON.stringify({ quotas }));
  }

  /** What the gateway counts for itself, and what is only tried out, is no business of callers. */
  #offered({ routes }: RouteTable, tier: string | undefined): readonly OfferedQuota[] {
    let byTier = this.#known.get(routes);
    if (byTier === undefined) this.#known.set(routes, (byTier = new Map()));
    let offered = byTier.get(tier);
    if (offered === undefined) {
      offered = quotasOf(routes, tier).filter(
        ({ quota: { key, terms } }) => key !== 'global' && terms.mode !== 'shadow',
      );
      // Whoever issues tokens can make up any number of tiers.
      if (byTier.size < MOST_TIERS) byTier.set(tier, offered);
    }
    return offered;
  }
}

const MOST_TIERS = 100;
