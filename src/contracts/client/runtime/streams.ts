import { ProblemErrorOf, UnexpectedAnswerError } from './answers.ts';
import { isProblemBody, parsed } from './reading.ts';

/** @internal Reads the records of a stream; the connection ends when the loop does. */
export async function* records(id: string, response: Response): AsyncGenerator<unknown, void, void> {
  const isEvents = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
  let event = '';
  let data: string[] = [];
  for await (const line of linesOf(response)) {
    if (isEvents && line !== '') {
      const [, field, value] = /^(event|data):? ?(.*)$/.exec(line) ?? [];
      if (field === 'event') event = value ?? '';
      else if (field === 'data') data.push(value ?? '');
      continue;
    }
    const text = isEvents ? data.join('\n') : line;
    if (text !== '') yield recordOf(id, response, event, text);
    [event, data] = ['', []];
  }
}

function recordOf(id: string, response: Response, event: string, text: string): unknown {
  const record = parsed(text);
  if (record === undefined) throw new UnexpectedAnswerError(id, response, text);
  // A section of a view that fails ends it with a record; a stream of messages ends with an event.
  const told = event === 'problem' && !hasProblem(record) ? record : hasProblem(record) && record.problem;
  const body = isProblemBody(told) ? told : undefined;
  if (body !== undefined) throw new ProblemErrorOf(id, body, response);
  return record;
}

function hasProblem(record: unknown): record is { readonly problem: unknown } {
  return typeof record === 'object' && record !== null && Object.keys(record).join() === 'problem';
}

async function* linesOf({ body }: Response): AsyncGenerator<string, void, void> {
  if (body === null) return;
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
      const lines = (rest + decoder.decode(chunk.value, { stream: true })).split(/\r?\n/);
      rest = lines.pop() ?? '';
      yield* lines;
    }
    if (rest !== '') yield rest;
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
