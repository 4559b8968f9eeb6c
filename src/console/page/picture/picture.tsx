import type { JSX } from 'preact';
import type { PictureAnswer } from '../data/traffic.ts';
import { hrefWith, useAddress } from '../app/address.ts';
import { useStore } from '../data/store.ts';
import { useLive } from '../data/use-live.ts';
import { asTable } from '../parts/as-table.ts';
import { Answer, Empty } from '../parts/empty.tsx';
import { Icon } from '../parts/icon.tsx';
import { Panel } from '../parts/panel.tsx';
import { Drawing } from './drawing.tsx';
import { pageOf } from './page-of.ts';
import { PictureTable } from './picture-table.tsx';

const NOTES: Readonly<Record<PictureAnswer['of'], string>> = {
  routes: 'routes → upstreams → targets',
  groups: 'groups of routes → upstreams → targets; a group is a prefix of paths',
  search: 'the worst routes → upstreams → targets; search for others',
};

/** The live picture: what goes where, and how it is. */
export function Picture(): JSX.Element {
  const { query } = useAddress();
  const selected = query.get('select') ?? undefined;
  const asked = selected === undefined ? '' : `select=${encodeURIComponent(selected)}`;
  const answered = useLive<PictureAnswer>(`traffic/picture?${asked}`, `picture&${asked}`);
  const isTable = useStore(asTable);
  const actions = (
    <>
      {selected !== undefined && <Selection id={selected} />}
      <button type="button" class="button small" aria-pressed={isTable} onClick={() => asTable.set(!isTable)}>
        <Icon name="table" />
        Table
      </button>
    </>
  );
  return (
    <Panel title="Traffic" note={NOTES[answered.value?.of ?? 'routes']} actions={actions}>
      <Answer of={answered}>
        {(picture) =>
          picture.routes.length + picture.upstreams.length === 0 ? (
            <Empty title="No route yet">
              <code>routes:</code> of the configuration has none.
            </Empty>
          ) : isTable ? (
            <PictureTable picture={picture} />
          ) : (
            <Drawing picture={picture} selected={selected} />
          )
        }
      </Answer>
    </Panel>
  );
}

function Selection({ id }: { readonly id: string }): JSX.Element {
  const page = pageOf(id);
  return (
    <>
      {page && (
        <a class="button small primary" href={page.href}>
          Open {page.name}
        </a>
      )}
      <a class="button small" href={hrefWith({ select: undefined })}>
        Show all
      </a>
    </>
  );
}
