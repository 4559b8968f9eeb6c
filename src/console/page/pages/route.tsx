import type { JSX } from 'preact';
import type { RouteAnswer } from '../data/traffic.ts';
import { hrefTo, hrefWith, queryText, useAddress } from '../app/address.ts';
import { useLive } from '../data/use-live.ts';
import { Answer, Empty } from '../parts/empty.tsx';
import { Head, Tabs } from '../parts/panel.tsx';
import { Choice, Copy } from '../parts/small.tsx';
import { Flow } from '../parts/state.tsx';
import { RoutePolicies } from './route-policies.tsx';
import { RouteRefused } from './route-refused.tsx';
import { RouteTraffic } from './route-traffic.tsx';

const TABS = [
  ['traffic', 'Traffic'],
  ['refused', 'Refused'],
  ['policies', 'Policies, limits, cache'],
] as const;
const RANGES = [
  ['10m', '10 min'],
  ['2h', '2 h'],
] as const;

/** One route: how it does, whom it refuses, and what holds on it. */
export function RoutePage({ id }: { readonly id: string }): JSX.Element {
  const { query } = useAddress();
  const [tab, range] = [query.get('tab') ?? 'traffic', query.get('range') ?? '10m'];
  const answered = useLive<RouteAnswer>(
    `traffic/routes/${encodeURIComponent(id)}${queryText({ range })}`,
    `route${queryText({ id, range }).replace('?', '&')}`,
  );
  const { value } = answered;
  return (
    <>
      <Head
        title={id}
        above={[['Routes', hrefTo(['routes'])]]}
        beside={
          <>
            <Copy text={id} what="id" />
            {value && <Flow is={value.row.state} />}
          </>
        }
        actions={
          <Choice label="Range" options={RANGES} current={range} hrefOf={(key) => hrefWith({ range: key })} />
        }
      />
      <Tabs tabs={TABS} current={tab} hrefOf={(key) => hrefWith({ tab: key })} />
      <Answer of={answered} missing={() => <NoRoute id={id} />}>
        {(route) => {
          if (tab === 'refused') return <RouteRefused id={id} route={route} />;
          if (tab === 'policies') return <RoutePolicies id={id} route={route} />;
          return <RouteTraffic route={route} range={range} />;
        }}
      </Answer>
    </>
  );
}

function NoRoute({ id }: { readonly id: string }): JSX.Element {
  return (
    <Empty title={`No route is called “${id}”`}>
      <a href={hrefTo(['routes'])}>All routes</a>, or <a href={hrefTo(['config'])}>what has changed</a>
    </Empty>
  );
}
