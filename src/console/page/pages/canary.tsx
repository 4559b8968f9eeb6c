import type { JSX } from 'preact';
import type { ListAnswer } from '../data/traffic.ts';
import { hrefTo } from '../app/address.ts';
import { grouped, percent } from '../data/format.ts';
import type { RolloutAnswer, SideAnswer } from '../data/order-answers.ts';
import { may } from '../data/session.ts';
import { useAnswer } from '../data/use-answer.ts';
import { Act } from '../parts/confirm.tsx';
import { Answer, Empty } from '../parts/empty.tsx';
import { Head, Panel } from '../parts/panel.tsx';
import { When } from '../parts/small.tsx';
import { State } from '../parts/state.tsx';
import { ROLLOUT_GRAVITY } from './canaries.tsx';
import { canaryIntents } from './canary-intents.ts';
import { rowsOf } from './route-policies.tsx';

const EVERY_MS = 3000;
/** Below this many attempts a share says little. */
const FEW = 100;

/** One rollout: both sides beside each other, where it stands, and what can be done. */
export function CanaryPage({ id }: { readonly id: string }): JSX.Element {
  const answered = useAnswer<readonly RolloutAnswer[] | ListAnswer<RolloutAnswer>>('canaries', EVERY_MS);
  const rollout = rowsOf(answered.value).find(({ route }) => route === id);
  const actions =
    rollout && may('operate')
      ? canaryIntents(rollout, answered.again).map(({ label, intent }) => (
          <Act key={label} label={label} intent={() => intent} />
        ))
      : undefined;
  return (
    <>
      <Head
        title={`Canary of ${id}`}
        above={[['Canaries', hrefTo(['canaries'])]]}
        beside={rollout && <State is={ROLLOUT_GRAVITY[rollout.status]}>{rollout.status}</State>}
        actions={actions}
      />
      <Answer of={answered}>
        {() => (rollout ? <Rollout of={rollout} /> : <Empty title={`The route “${id}” has no canary`} />)}
      </Answer>
    </>
  );
}

function Rollout({ of: rollout }: { readonly of: RolloutAnswer }): JSX.Element {
  const { route, canary, stable, weight, reason, steps, step, changes } = rollout;
  return (
    <div class="stack">
      <Panel
        title={`${weight} of the traffic is at the canary`}
        note={reason}
        actions={<a href={hrefTo(['routes', route])}>Open the route</a>}
        padded
      >
        <ol class="steps" aria-label="Steps">
          {steps.map((one, i) => (
            <li
              key={i}
              class={step === undefined || i < step - 1 ? 'done' : ''}
              aria-current={i + 1 === step ? 'step' : undefined}
            >
              {one}
            </li>
          ))}
        </ol>
      </Panel>
      <Panel title="Both sides" note="attempts at targets in this step">
        <Sides canary={canary} stable={stable} />
      </Panel>
      <Panel title="What has happened" note="newest first">
        {changes.length === 0 ? (
          <Empty title="Nothing so far" />
        ) : (
          <ul class="list">
            {changes.map(({ at, from, to, weight: share, reason: why, by }) => (
              <li key={at + to}>
                <When at={at} />
                <span class="text">
                  {from === to ? to : `${from} → ${to}`} at {percent(share)}: {why}
                </span>
                <span class="end quiet">by {by}</span>
              </li>
            ))}
          </ul>
        )}
      </Panel>
    </div>
  );
}

function Sides({
  canary,
  stable,
}: {
  readonly canary: SideAnswer;
  readonly stable: SideAnswer;
}): JSX.Element {
  const rate = ({ attempts, failures }: SideAnswer): number => (attempts === 0 ? 0 : failures / attempts);
  return (
    <>
      <table>
        <caption class="hidden">The canary beside what is stable</caption>
        <thead>
          <tr>
            <th scope="col">Side</th>
            <th scope="col" class="numeric">
              Attempts
            </th>
            <th scope="col" class="numeric">
              Failures
            </th>
            <th scope="col" class="numeric">
              Failed
            </th>
          </tr>
        </thead>
        <tbody>
          {(
            [
              ['canary', canary],
              ['stable', stable],
            ] as const
          ).map(([name, side]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td class="numeric">{grouped(side.attempts)}</td>
              <td class="numeric">{grouped(side.failures)}</td>
              <td class="numeric">{percent(rate(side))}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {canary.attempts < FEW && (
        <p class="pager">
          <State is="warn">Too few to tell</State> {grouped(canary.attempts)} attempts at the canary so far.
        </p>
      )}
    </>
  );
}
