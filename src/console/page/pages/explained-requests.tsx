import type { JSX } from 'preact';
import type { ExplainedRequest } from '../../../explain/explanation.ts';
import { hrefTo } from '../app/address.ts';
import { Panel } from '../parts/panel.tsx';
import { State } from '../parts/state.tsx';

/** What would be sent, to whom, and why to nobody else. */
export function ExplainedRequests({
  requests,
}: {
  readonly requests: readonly ExplainedRequest[];
}): JSX.Element {
  return (
    <>
      {requests.map(({ name, note, upstream, sent }, i) => (
        <Panel key={i} title={titleOf(name, upstream?.name)} note={note ?? upstream?.balancing}>
          {upstream && (
            <ul class="list">
              {upstream.targets.map(({ target, isPicked, why }) => (
                <li key={target}>
                  <State is={isPicked ? 'good' : 'idle'}>{isPicked ? 'asked' : 'not asked'}</State>
                  <a class="mono" href={hrefTo(['upstreams', upstream.name], { target })}>
                    {target}
                  </a>
                  <span class="text quiet">{why}</span>
                </li>
              ))}
            </ul>
          )}
          {sent && (
            <div class="body">
              <pre class="request-line">
                {[sent.line, ...sent.headers.map(([field, value]) => `${field}: ${value}`)].join('\n')}
                {sent.body &&
                  `\n\n${sent.body.json ?? ''}\n(${sent.body.bytes} bytes${sent.body.as ? `, ${sent.body.as}` : ''})`}
              </pre>
            </div>
          )}
        </Panel>
      ))}
    </>
  );
}

function titleOf(name: string | undefined, upstream: string | undefined): string {
  const to = upstream === undefined ? '' : ` to ${upstream}`;
  return name === undefined ? `Request${to}` : `${name}${to}`;
}
