import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Explanation } from '../../../explain/explanation.ts';
import { go, hrefWith, useAddress } from '../app/address.ts';
import { AskFault, order } from '../data/ask.ts';
import { Empty, Fault } from '../parts/empty.tsx';
import { Head, Panel } from '../parts/panel.tsx';
import { Explained } from './explained.tsx';

/** What is asked, as the address has it. */
interface Question {
  readonly request: string;
  readonly headers: string;
  readonly as: string;
  readonly from: string;
}

/** What would become of a request: a form, and the answer below it. The body is the one thing that the address does not have. */
export function ExplainPage(): JSX.Element {
  const { query } = useAddress();
  const question = {
    request: query.get('request') ?? '',
    headers: query.get('headers') ?? '',
    as: query.get('as') ?? '',
    from: query.get('from') ?? '',
  };
  const [body, setBody] = useState('');
  const [explained, setExplained] = useState<Explanation>();
  const [fault, setFault] = useState<Error>();
  const asked = JSON.stringify(question);
  useEffect(() => {
    if (question.request === '') return;
    explain(question, body).then(
      (answer) => {
        setExplained(answer);
        setFault(undefined);
      },
      (error: unknown) => {
        setExplained(undefined);
        setFault(error instanceof Error ? error : new Error(String(error)));
      },
    );
  }, [asked, body]);
  const ask = (event: Event): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const part = (name: string): string => String(form.get(name) ?? '').trim();
    setBody(part('body'));
    go(hrefWith({ request: part('request'), headers: part('headers'), as: part('as'), from: part('from') }));
  };
  return (
    <>
      <Head title="What would become of a request" />
      <div class="stack">
        <Panel title="Request" note="nothing is sent" padded>
          <Form key={asked} question={question} body={body} ask={ask} />
        </Panel>
        {fault && <Fault fault={fault} />}
        {explained && <Explained of={explained} />}
        {!explained && !fault && (
          <Empty title="Ask of any request">
            Which route takes it, what each policy would do, and what would be sent on.
          </Empty>
        )}
      </div>
    </>
  );
}

async function explain({ request, headers, as, from }: Question, body: string): Promise<Explanation> {
  const lines = headers.split('\n').map((line) => line.trim());
  return order<Explanation>('POST', 'explain', {
    request,
    headers: lines.filter((line) => line !== ''),
    ...(as !== '' && { as: principalOf(as) }),
    ...(from !== '' && { from }),
    ...(body !== '' && { body }),
  });
}

/** Who calls: JSON, or only an id. */
export function principalOf(text: string): unknown {
  if (!text.startsWith('{')) return { id: text };
  try {
    return JSON.parse(text);
  } catch {
    throw new AskFault('Caller: expected an id, or JSON such as {"id": "ann", "roles": ["admin"]}', 400);
  }
}

interface FormProps {
  readonly question: Question;
  readonly body: string;
  ask(event: Event): void;
}

function Form({ question: { request, headers, as, from }, body, ask }: FormProps): JSX.Element {
  return (
    <form class="form" onSubmit={ask}>
      <div class="fields ask">
        <label class="field">
          <span>Method and path, or a whole URL</span>
          <input name="request" class="mono" required placeholder="GET /api/v2/users/7" value={request} />
        </label>
        <label class="field">
          <span>Caller: an id, or JSON with roles</span>
          <input name="as" class="mono" placeholder='{"id": "ann", "roles": ["admin"]}' value={as} />
        </label>
        <label class="field">
          <span>From address</span>
          <input name="from" class="mono" placeholder="127.0.0.1" value={from} />
        </label>
      </div>
      <details open={headers !== '' || body !== ''}>
        <summary>Header fields and body</summary>
        <div class="fields">
          <label class="field">
            <span>Header fields, one a line</span>
            <textarea name="headers" placeholder="content-type: application/json" value={headers} />
          </label>
          <label class="field">
            <span>Body</span>
            <textarea name="body" value={body} />
          </label>
        </div>
      </details>
      <div>
        <button type="submit" class="button primary">
          Explain
        </button>
      </div>
    </form>
  );
}
