import { Fragment, type JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { session } from '../data/session.ts';
import { useStore } from '../data/store.ts';
import { Announcements } from '../parts/announce.tsx';
import { Empty } from '../parts/empty.tsx';
import { Head } from '../parts/panel.tsx';
import { askedWorker, useAddress } from './address.ts';
import { Banners } from './banners.tsx';
import { Help } from './help.tsx';
import { Login } from './login.tsx';
import { Nav } from './nav.tsx';
import { pageFor } from './pages.tsx';
import { Top } from './top.tsx';

/** The whole console: who reads it first, then the page of the address. */
export function Console(): JSX.Element {
  const { state, fault } = useStore(session);
  useAddress();
  if (state === 'needs-token') return <Login />;
  return (
    <div class="shell">
      <a class="skip" href="#main" onClick={toMain}>
        Skip to the page
      </a>
      <Nav />
      <Top />
      <main id="main" tabIndex={-1}>
        {state === 'unreachable' && (
          <div class="banner" role="alert">
            {fault}
          </div>
        )}
        {state === 'asking' ? (
          <p class="loading">Asking who you are…</p>
        ) : (
          <>
            <Banners key={`banners ${askedWorker() ?? ''}`} />
            <Page />
          </>
        )}
      </main>
      <Announcements />
      <Help />
    </div>
  );
}

function Page(): JSX.Element {
  const { path } = useAddress();
  const page = pageFor(path);
  useEffect(() => {
    document.title = `${page?.title ?? 'Not found'} · Gatehouse`;
  }, [page?.title]);
  // Nothing of what one process has answered stays beside what another one does.
  if (page) return <Fragment key={askedWorker()}>{page.content}</Fragment>;
  return (
    <>
      <Head title="Not found" />
      <Empty title="There is no such page">The navigation lists all there are.</Empty>
    </>
  );
}

// The base of the document would make an address of another page of it.
function toMain(event: Event): void {
  event.preventDefault();
  document.querySelector<HTMLElement>('main')?.focus();
}
