import type { JSX } from 'preact';
import { may } from '../data/session.ts';
import { useAnswer } from '../data/use-answer.ts';
import { Answer, Empty } from '../parts/empty.tsx';
import { Head, Panel } from '../parts/panel.tsx';
import { Facts, When } from '../parts/small.tsx';
import { State, type Gravity } from '../parts/state.tsx';
import { Act } from '../parts/confirm.tsx';
import { Table, type Column } from '../parts/table.tsx';
import { revokingKey, revokingToken } from './access-intents.tsx';

/** A key as `GET /keys` lists it. */
export interface ShownKey {
  readonly id: string;
  readonly clientId: string;
  readonly status: string;
  readonly name?: string;
  readonly createdAt?: string;
  readonly expiresAt?: string;
  readonly lastUsedAt?: string;
}

interface KeysAnswer {
  readonly store: 'none' | 'redis';
  readonly configured: readonly ShownKey[];
  readonly keys: readonly ShownKey[];
}

interface RevocationsAnswer {
  readonly state: string;
  readonly count?: number;
  readonly ageMs?: number;
}

const GRAVITY: Readonly<Record<string, Gravity>> = { active: 'good', expired: 'idle', revoked: 'bad' };

/** API keys and revocations, for those who may. */
export function AccessPage(): JSX.Element {
  const keys = useAnswer<KeysAnswer>('keys?limit=100');
  const revocations = useAnswer<RevocationsAnswer>('revocations');
  if (!may('admin'))
    return <Empty title="Keys and revocations need the role admin">Sign in with a token that has it.</Empty>;
  const isOn = revocations.value?.state !== 'off' && revocations.value?.count !== undefined;
  return (
    <>
      <Head title="Access" />
      <div class="stack">
        <Panel
          title="API keys"
          note={keys.value?.store === 'redis' ? 'in Redis, for all replicas' : 'of the configuration'}
        >
          <Answer of={keys}>{(answer) => <Keys answer={answer} again={keys.again} />}</Answer>
        </Panel>
        <Panel
          title="Revocations"
          actions={
            isOn && <Act label="Revoke a credential" small intent={() => revokingToken(revocations.again)} />
          }
          padded
        >
          <Answer of={revocations}>
            {({ state, count, ageMs }) => (
              <Facts
                facts={[
                  [
                    'State',
                    <State key="state" is={state === 'fresh' ? 'good' : isOn ? 'warn' : 'idle'}>
                      {state}
                    </State>,
                  ],
                  ['Revoked', count],
                  [
                    'Age',
                    ageMs === undefined ? undefined : `${Math.round(ageMs / 1000)} s since Redis was heard`,
                  ],
                ]}
              />
            )}
          </Answer>
        </Panel>
      </div>
    </>
  );
}

function Keys({
  answer: { configured, keys, store },
  again,
}: {
  readonly answer: KeysAnswer;
  again(): void;
}): JSX.Element {
  const rows = [...keys, ...configured];
  if (rows.length === 0)
    return (
      <Empty title="There are no keys">
        {store === 'none'
          ? 'Keys can be issued once REDIS_URL is set, or listed under identity.apiKeys.'
          : 'gatehouse keys create issues one.'}
      </Empty>
    );
  const ids = new Set(configured.map(({ id }) => id));
  const columns: readonly Column<ShownKey>[] = [
    { key: 'id', title: 'Key', cell: ({ id }) => <code>{id}</code> },
    {
      key: 'client',
      title: 'Client',
      main: true,
      cell: ({ clientId }) => <span class="name">{clientId}</span>,
    },
    {
      key: 'status',
      title: 'Status',
      cell: ({ status }) => <State is={GRAVITY[status] ?? 'idle'}>{status}</State>,
    },
    { key: 'used', title: 'Last used', secondary: true, cell: ({ lastUsedAt }) => <When at={lastUsedAt} /> },
    { key: 'expires', title: 'Expires', secondary: true, cell: ({ expiresAt }) => <When at={expiresAt} /> },
    {
      key: 'orders',
      title: 'Orders',
      cell: (key) =>
        ids.has(key.id) ? (
          <span class="quiet">in the file</span>
        ) : (
          key.status === 'active' && <Act label="Revoke" small intent={() => revokingKey(key, again)} />
        ),
    },
  ];
  return <Table caption="API keys" columns={columns} rows={rows} keyOf={({ id }) => id} />;
}
