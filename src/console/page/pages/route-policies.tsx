import type { JSX } from 'preact';
import type { CacheCounts, ListAnswer, RouteAnswer } from '../data/traffic.ts';
import type { RolloutAnswer } from '../data/order-answers.ts';
import { hrefTo } from '../app/address.ts';
import { order } from '../data/ask.ts';
import { may } from '../data/session.ts';
import { useAnswer } from '../data/use-answer.ts';
import { Act, type Intent } from '../parts/confirm.tsx';
import { Answer, Empty } from '../parts/empty.tsx';
import { Panel } from '../parts/panel.tsx';
import { CacheHits } from './route-cache.tsx';

/** `GET /routes/:id` */
export interface RouteDetail {
  readonly id: string;
  readonly origin: string;
  readonly policies: readonly {
    readonly policy: string;
    readonly says: string;
    readonly enforced: boolean;
  }[];
}

/** What holds on a route: its policies in the order in which requests meet them. */
export function RoutePolicies({
  id,
  route,
}: {
  readonly id: string;
  readonly route: RouteAnswer;
}): JSX.Element {
  const answered = useAnswer<RouteDetail>(`routes/${encodeURIComponent(id)}`);
  const rollouts = useAnswer<readonly RolloutAnswer[] | ListAnswer<RolloutAnswer>>('canaries');
  const canary = rowsOf(rollouts.value).find((one) => one.route === id);
  return (
    <div class="stack">
      <Panel title="Policies" note={`in the order in which requests meet them, declared at ${route.origin}`}>
        <Answer of={answered}>
          {({ policies }) =>
            policies.length === 0 ? (
              <Empty title="No policy holds here" />
            ) : (
              <ul>
                {policies.map(({ policy, says, enforced }) => (
                  <li key={policy} class="policy">
                    <strong>{policy}</strong>
                    <span class="quiet">{enforced ? 'a stage of its own' : 'no stage'}</span>
                    <code>{says}</code>
                  </li>
                ))}
              </ul>
            )
          }
        </Answer>
      </Panel>
      <Panel title="Canary" padded>
        {canary ? (
          <p>
            {canary.status} at {canary.weight}: {canary.reason}.{' '}
            <a class="in-text" href={hrefTo(['canaries', id])}>
              Open
            </a>
          </p>
        ) : (
          <p class="quiet">
            This route has none; <code>canary:</code> of the route declares one.
          </p>
        )}
      </Panel>
      {answered.value?.policies.some(({ policy }) => policy === 'cache') && (
        <Cache id={id} counts={route.cache} />
      )}
    </div>
  );
}

/** Rows of what may be a plain list still. */
export function rowsOf<Row>(answer: readonly Row[] | ListAnswer<Row> | undefined): readonly Row[] {
  if (answer === undefined) return [];
  return 'rows' in answer ? answer.rows : answer;
}

function Cache({ id, counts }: { readonly id: string; counts: CacheCounts | undefined }): JSX.Element {
  const purge = may('operate') && <Act label="Purge stored answers" small intent={() => purging(id)} />;
  return (
    <Panel title="Cache" note="since the process began" actions={purge} padded>
      <CacheHits of={counts} />
    </Panel>
  );
}

function purging(id: string): Intent {
  return {
    title: 'Purge stored answers?',
    effect: `Answers of ${id} whose address begins so are asked for anew, so that the upstream sees those requests until they are stored again.`,
    act: 'Purge',
    danger: true,
    fields: (
      <label class="field">
        <span>Host and path that addresses begin with</span>
        <input name="prefix" required placeholder="api.example.com/products" />
      </label>
    ),
    run: async (form) => {
      const { keys } = await order<{ keys?: number }>('POST', 'cache/purge', { prefix: form.get('prefix') });
      return keys === undefined ? 'Purged.' : `Purged: ${keys} stored answers.`;
    },
  };
}
