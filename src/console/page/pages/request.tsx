import type { JSX } from 'preact';
import type { Kept } from '../data/traffic.ts';
import { hrefTo } from '../app/address.ts';
import { duration } from '../data/format.ts';
import { useAnswer } from '../data/use-answer.ts';
import { Answer, Empty } from '../parts/empty.tsx';
import { keptGravity } from '../parts/kept-table.tsx';
import { Head, Panel } from '../parts/panel.tsx';
import { Copy, Facts, When, type Fact } from '../parts/small.tsx';
import { State } from '../parts/state.tsx';
import { Waterfall } from '../parts/waterfall.tsx';

/** One kept request: why it ended as it did, in a sentence first. */
export function RequestPage({ id }: { readonly id: string }): JSX.Element {
  const answered = useAnswer<Kept>(`exchanges/${encodeURIComponent(id)}`);
  const { value } = answered;
  const actions = value && (
    <a class="button" href={hrefTo(['explain'], { request: value.explain })}>
      Explain
    </a>
  );
  return (
    <>
      <Head
        title={value ? `${value.method} ${value.path}` : id}
        above={[['Requests', hrefTo(['requests'])]]}
        beside={value && <State is={keptGravity(value)}>{`${value.outcome} ${value.status}`}</State>}
        actions={actions}
      />
      <Answer
        of={answered}
        missing={({ message }) => <Empty title="This request is not kept any more">{message}</Empty>}
      >
        {(kept) => <Whole kept={kept} />}
      </Answer>
    </>
  );
}

function Whole({ kept }: { readonly kept: Kept }): JSX.Element {
  const { reason, line, waterfall } = kept;
  return (
    <div class="stack">
      <Panel title="Why" padded>
        <p class="reason">{reason}</p>
      </Panel>
      <div class="columns two">
        <Panel title="Decision" padded>
          <Facts facts={decisionOf(kept)} />
        </Panel>
        <Panel title="Request" padded>
          <Facts facts={requestOf(kept)} />
        </Panel>
      </div>
      {waterfall && waterfall.length > 0 && (
        <Panel title="What it has done">
          <Waterfall bars={waterfall} />
        </Panel>
      )}
      {line !== undefined && (
        <Panel title="Access line" actions={<Copy text={line} what="access line" />} padded>
          <pre>{line}</pre>
        </Panel>
      )}
    </div>
  );
}

function decisionOf({ stage, code, by, rule, route, operation, ms }: Kept): readonly Fact[] {
  return [
    ['Stage', stage],
    ['Code', code && <code>{code}</code>],
    ['Rule', by && <code>{by}</code>],
    ['Said at', rule && <code>{rule}</code>],
    ['Route', <a href={hrefTo(['routes', route])}>{route}</a>],
    ['Operation', operation],
    ['Took', duration(ms)],
  ];
}

function requestOf({ at, client, principal, host, id, traceId }: Kept): readonly Fact[] {
  return [
    ['At', <When at={at} />],
    ['Client', <a href={hrefTo(['clients', principal ?? client])}>{client}</a>],
    ['Principal', principal],
    ['Host', <code>{host}</code>],
    ['Id', <Copied text={id} what="request id" />],
    ['Trace', <Copied text={traceId} what="trace id" />],
  ];
}

function Copied({ text, what }: { readonly text: string; readonly what: string }): JSX.Element {
  return (
    <>
      <code>{text}</code> <Copy text={text} what={what} />
    </>
  );
}
