import type { JSX } from 'preact';
import type { ExplainedMatch, ExplainedPolicy, Explanation } from '../../../explain/explanation.ts';
import { hrefTo } from '../app/address.ts';
import { Panel } from '../parts/panel.tsx';
import { Facts } from '../parts/small.tsx';
import { State, type Gravity } from '../parts/state.tsx';
import { ExplainedRequests } from './explained-requests.tsx';

const GRAVITY: Readonly<Record<ExplainedPolicy['does'], Gravity>> = {
  passes: 'good',
  changes: 'info',
  answers: 'info',
  depends: 'warn',
  refuses: 'bad',
  off: 'idle',
};

/** What would become of a request: the end of it first, then how it gets there. */
export function Explained({ of }: { readonly of: Explanation }): JSX.Element {
  const { match, policies, entrance, requests } = of;
  return (
    <>
      <Outcome of={of} />
      <Match match={match} />
      {entrance.length > 0 && (
        <Panel title="Before a route is looked for">
          <ul>
            {entrance.map(({ step, does, why, refuses }) => (
              <li key={step} class="policy">
                <State is={GRAVITY[does]}>{does}</State>
                <strong>{step}</strong>
                <span>{refuses?.detail ?? why}</span>
              </li>
            ))}
          </ul>
        </Panel>
      )}
      {policies.length > 0 && (
        <Panel title="Policies" note="in the order in which the request meets them">
          <ul>
            {policies.map((policy) => (
              <Policy key={policy.policy} of={policy} />
            ))}
          </ul>
        </Panel>
      )}
      <ExplainedRequests requests={requests} />
    </>
  );
}

function Outcome({
  of: { refused, answered, action, side, untold, config },
}: {
  readonly of: Explanation;
}): JSX.Element {
  return (
    <Panel title="What would come of it" note={`under ${config}`} padded>
      {refused ? (
        <>
          <p class="reason">
            <State is="bad">{`Refused with ${refused.status}`}</State> by {refused.by}: {refused.detail}
          </p>
          <p class="quiet">
            <code>{refused.code}</code> {refused.errors?.join('; ')}
          </p>
        </>
      ) : answered ? (
        <p class="reason">
          <State is="info">Answered here</State> by {answered.by}: {answered.what}
        </p>
      ) : (
        <p class="reason">
          <State is="good">Taken</State> {action?.kind}
          {action?.of !== undefined && ` to ${action.of}`}
          {side && `, at the ${side.name} (${side.why})`}
        </p>
      )}
      {untold !== undefined && <p class="quiet">{untold}</p>}
    </Panel>
  );
}

function Match({
  match: { route, candidates, others, params },
}: {
  readonly match: ExplainedMatch;
}): JSX.Element {
  return (
    <Panel title="Route" padded>
      <Facts
        facts={[
          [
            'Takes it',
            route ? (
              <>
                <a href={hrefTo(['routes', route.id])}>{route.id}</a>{' '}
                <code>{`${route.methods} ${route.path}`}</code> <span class="quiet">{route.origin}</span>
              </>
            ) : (
              'none'
            ),
          ],
          ...Object.entries(params).map(
            ([name, value]) => [`{${name}}`, <code key={name}>{value}</code>] as const,
          ),
          ...candidates.map(
            ({ id, methods, path, why }) =>
              [
                'Does not',
                <span key={id}>
                  <a href={hrefTo(['routes', id])}>{id}</a> <code>{`${methods} ${path}`}</code> {why}
                </span>,
              ] as const,
          ),
          ['Others', `${others} have other paths`],
        ]}
      />
    </Panel>
  );
}

function Policy({
  of: { policy, from, says, does, why, isMet, facts, refuses },
}: {
  readonly of: ExplainedPolicy;
}): JSX.Element {
  const details = Object.entries(facts ?? {}).map(([name, value]) => `${name} = ${value}`);
  return (
    <li class="policy">
      {isMet ? <State is={GRAVITY[does]}>{does}</State> : <State is="idle">not met</State>}
      <strong>{policy}</strong>
      <span>
        <code>{says}</code> <span class="quiet">({from})</span>
      </span>
      {[refuses?.detail, why, ...details].filter(Boolean).map((text) => (
        <span key={text} class="more">
          {text}
        </span>
      ))}
    </li>
  );
}
