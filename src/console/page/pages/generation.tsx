import type { JSX } from 'preact';
import { hrefTo, hrefWith, queryText, useAddress } from '../app/address.ts';
import type { DiffAnswer, GenerationAnswer, HistoryAnswer } from '../data/order-answers.ts';
import { may } from '../data/session.ts';
import { useAnswer } from '../data/use-answer.ts';
import { Act } from '../parts/confirm.tsx';
import { DiffText, Meaning } from '../parts/diff.tsx';
import { Answer, Empty } from '../parts/empty.tsx';
import { Faults } from '../parts/faults.tsx';
import { Pick } from '../parts/filters.tsx';
import { Head, Panel, Tabs } from '../parts/panel.tsx';
import { When } from '../parts/small.tsx';
import { State } from '../parts/state.tsx';
import { OUTCOME_GRAVITY } from './config.tsx';
import { rollingBack } from './rollback.ts';

const TABS = [
  ['meaning', 'What it means'],
  ['lines', 'Line by line'],
  ['text', 'The whole text'],
] as const;

/** One configuration, and how it differs from another one. */
export function GenerationPage({ id }: { readonly id: string }): JSX.Element {
  const { query } = useAddress();
  const tab = query.get('tab') ?? 'meaning';
  const answered = useAnswer<GenerationAnswer>(`config/history/${encodeURIComponent(id)}`);
  const history = useAnswer<HistoryAnswer>('config/history');
  const { value } = answered;
  const others =
    history.value?.rows.map(({ generation }) => generation).filter((one) => String(one) !== id) ?? [];
  const against = query.get('against') ?? String(others.find((one) => one < Number(id)) ?? others[0] ?? '');
  const again = (): void => {
    answered.again();
    history.again();
  };
  return (
    <>
      <Head
        title={`Generation ${id}`}
        above={[['Configuration', hrefTo(['config'])]]}
        beside={
          value && (
            <>
              <State is={OUTCOME_GRAVITY[value.outcome]}>{value.outcome.replace('-', ' ')}</State>
              <span class="quiet">
                since <When at={value.at} />
              </span>
              <code>{value.sha.slice(0, 12)}</code>
            </>
          )
        }
        actions={
          value?.outcome === 'replaced' &&
          may('operate') && <Act label="Roll back to it" intent={() => rollingBack(value, again)} />
        }
      />
      <Answer of={answered} missing={() => <Empty title="This configuration is not kept any more" />}>
        {(generation) => (
          <>
            {generation.faults && generation.faults.length > 0 && (
              <div class="stack spaced">
                <Panel title="Why it was refused">
                  <Faults faults={generation.faults} />
                </Panel>
              </div>
            )}
            <Tabs tabs={TABS} current={tab} hrefOf={(key) => hrefWith({ tab: key })} />
            {tab === 'text' ? (
              <Panel title="Text" note="secrets are not shown" padded>
                <pre>{generation.text}</pre>
              </Panel>
            ) : (
              <Difference id={id} against={against} others={others} tab={tab} />
            )}
          </>
        )}
      </Answer>
    </>
  );
}

interface DifferenceProps {
  readonly id: string;
  readonly against: string;
  readonly others: readonly number[];
  readonly tab: string;
}

function Difference({ id, against, others, tab }: DifferenceProps): JSX.Element {
  const path = against === '' ? undefined : `config/diff${queryText({ from: against, to: id })}`;
  const answered = useAnswer<DiffAnswer>(path);
  const options = others.map((one) => [String(one), `generation ${one}`] as const);
  if (path === undefined) return <Empty title="There is no other configuration to compare with" />;
  return (
    <Panel
      title="Compared with"
      actions={<Pick label="Compare with" name="against" value={against} options={options} />}
    >
      <Answer of={answered}>
        {({ changes, text }) => {
          if (changes.length === 0 && text === '') return <Empty title="They are the same" />;
          return tab === 'lines' ? <DiffText text={text} /> : <Meaning changes={changes} />;
        }}
      </Answer>
    </Panel>
  );
}
