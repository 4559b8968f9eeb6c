import { open } from 'node:fs/promises';
import type { ExplainedRequest } from '../explain/explanation.ts';
import { explain } from '../explain/explain.ts';
import { FORMAT, type RecordedExchange } from '../record/sample-format.ts';
import { explainInputOf } from '../replay/replay.ts';
import { readSample } from '../replay/sample-reader.ts';
import type { FakeAnswer } from '../simulate/answers.schema.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { FakeFault, noAnswer, type AnswerSource } from './answer-source.ts';

const BEGINNING = 200;

/** Whether a file is a sample of `gatehouse record`. */
export async function isSample(file: string): Promise<boolean> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(BEGINNING), 0, BEGINNING, 0);
    return buffer.toString('utf8', 0, bytesRead).includes(`"format":"${FORMAT}"`);
  } finally {
    await handle.close();
  }
}

/**
 * Answers that were recorded of an upstream. They were recorded as clients have seen them; for what the upstream is asked, the gateway
 * says what it would send on for each of them.
 *
 * @throws {FakeFault} for a sample without an answer of that upstream.
 */
export async function recordedSource(file: string, name: string): Promise<AnswerSource> {
  const exchanges = await recordedAnswers(file, name);
  let known: Promise<ReadonlyMap<string, RecordedExchange>> = Promise.resolve(new Map());
  return {
    told: `sample ${file}`,
    file,
    use: (snapshot) => (known = asked(exchanges, snapshot)),
    async answer({ method, path }) {
      const answers = await known;
      const [before = ''] = path.split('?');
      const found = answers.get(`${method} ${path}`) ?? answers.get(`${method} ${before}`);
      return found === undefined
        ? noAnswer(`${file} has no answer for ${method} ${path}; it has ${answers.size} others`)
        : answerOf(found);
    },
  };
}

/** The exchanges of a sample that an upstream has answered, whole. @throws {FakeFault} where there is none. */
export async function recordedAnswers(file: string, name: string): Promise<readonly RecordedExchange[]> {
  const exchanges: RecordedExchange[] = [];
  for await (const read of readSample(file)) {
    if (!('exchange' in read)) continue;
    const { upstream, problem, answer, answerLeft } = read.exchange;
    // One without a body has an answer all the same; what the gateway said itself is no answer of the upstream.
    const isWhole = answer !== undefined || (answerLeft === undefined && read.exchange.status === 204);
    if (upstream === name && problem === undefined && isWhole) exchanges.push(read.exchange);
  }
  if (exchanges.length > 0) return exchanges;
  throw new FakeFault(
    `${file} has no answers of ${name}; record with --answers 16KiB what a gateway forwards there`,
  );
}

// By what is sent on: with its query, and without it for whoever asks for something that nobody recorded.
async function asked(
  exchanges: readonly RecordedExchange[],
  snapshot: Snapshot,
): Promise<ReadonlyMap<string, RecordedExchange>> {
  const answers = new Map<string, RecordedExchange>();
  for (const exchange of exchanges) {
    const request = await askedFor(exchange, snapshot);
    const [, method, path] = /^(\S+) (\S+)/.exec(request?.sent?.line ?? '') ?? [];
    if (method === undefined || path === undefined) continue;
    answers.set(`${method} ${path}`, exchange);
    const bare = `${method} ${path.split('?')[0] ?? ''}`;
    if (!answers.has(bare)) answers.set(bare, exchange);
  }
  return answers;
}

/** What the gateway would ask the upstream for an exchange. */
export interface AskedFor extends Pick<ExplainedRequest, 'sent' | 'answerField'> {
  /** Values of the path of its route. */
  readonly params: Readonly<Record<string, string>>;
}

/** What the gateway would ask the upstream for an exchange; undefined where it would not, or that cannot be said. */
export async function askedFor(
  exchange: RecordedExchange,
  snapshot: Snapshot,
): Promise<AskedFor | undefined> {
  try {
    const { requests, match } = await explain(explainInputOf(exchange), snapshot);
    const request = requests.find(({ upstream }) => upstream?.name === exchange.upstream);
    return request && { sent: request.sent, answerField: request.answerField, params: match.params };
  } catch {
    // What cannot be explained is an answer that nobody asks for.
    return undefined;
  }
}

function answerOf({ status, answer }: RecordedExchange): FakeAnswer {
  const headers = answer === undefined ? {} : { 'content-type': 'application/json' };
  return { status, headers, body: answer, delay: 0 };
}
