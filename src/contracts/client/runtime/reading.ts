import {
  ProblemErrorOf,
  rateLimitOf,
  UnexpectedAnswerError,
  type ProblemBody,
  type Told,
} from './answers.ts';
import type { Plan } from './plan.ts';

/** @internal */
export async function answerOf(id: string, plan: Plan, response: Response): Promise<Told> {
  const { status, headers } = response;
  const requestId = headers.get('x-request-id') ?? undefined;
  const told: Told = { status, headers, requestId, rateLimit: rateLimitOf(headers) };
  const read = await readAnswer(id, plan, response);
  return Object.assign(told, read instanceof ProblemErrorOf ? { problem: read } : { data: read });
}

async function readAnswer(id: string, plan: Plan, response: Response): Promise<unknown> {
  const type = response.headers.get('content-type') ?? '';
  if (!response.ok && type.startsWith('application/problem+json')) {
    const text = await (plan.answer === 'response' ? response.clone() : response).text();
    const body = parsed(text);
    // An upstream may have problems of its own; those belong to its answers.
    if (isProblemBody(body)) return new ProblemErrorOf(id, body, response);
    if (plan.answer !== 'response') throw new UnexpectedAnswerError(id, response, text);
  }
  if (plan.answer === 'response') return response;
  const text = await response.text();
  if (!response.ok) throw new UnexpectedAnswerError(id, response, text);
  if (plan.answer === 'nothing') return undefined;
  const data = parsed(text);
  if (data === undefined) throw new UnexpectedAnswerError(id, response, text);
  return data;
}

/** @internal */
export function isProblemBody(body: unknown): body is ProblemBody<string> {
  const { type } = (body ?? {}) as Partial<ProblemBody<string>>;
  return typeof type === 'string' && type.startsWith('urn:gatehouse:problem:');
}

/** @internal */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
