import type { FastifyReply } from 'fastify';
import type {} from './exchange-of.ts';
import type { Answer } from './exchange.ts';

/** What adapters of Nest throw when a stage answers: they can only pass or throw. It is nobody's fault. */
export class StageAnswered extends Error {
  readonly answer: Answer;

  constructor(answer: Answer) {
    super('a stage has answered');
    this.answer = answer;
  }
}

/** Sends the answer of a stage at the code-first door, through the hooks that finish every answer of it. */
export function sendStageAnswer(reply: FastifyReply, answer: Answer): FastifyReply {
  const { body } = answer;
  const { exchange } = reply.request;
  // It is none of the handler.
  exchange.recording?.abandon();
  exchange.recording = undefined;
  putHead(reply, answer);
  // Fastify makes up a type and a length for a body, also for an empty one.
  return reply.send(body.length === 0 ? undefined : body);
}

/** Makes status and fields of an answer those of a reply. */
export function putHead(reply: FastifyReply, { status, headers, body }: Answer): void {
  const fields = new Map<string, string[]>();
  for (let i = 0; i < headers.length; i += 2) {
    const name = (headers[i] as string).toLowerCase();
    const values = fields.get(name);
    if (values === undefined) fields.set(name, [headers[i + 1] as string]);
    else values.push(headers[i + 1] as string);
  }
  for (const [name, values] of fields) void reply.header(name, values.length === 1 ? values[0] : values);
  const { exchange } = reply.request;
  exchange.bytesOut = exchange.method === 'HEAD' ? 0 : body.length;
  void reply.code(status);
}
