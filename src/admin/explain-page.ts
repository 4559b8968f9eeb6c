import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import { explain } from '../explain/explain.ts';
import { ExplainFault, readExplainInput } from '../explain/explain.schema.ts';
import { operation } from './operation.ts';
import type { Snapshots } from '../snapshot/snapshots.ts';

const text = z.union([z.string(), z.array(z.string())]).optional();
const querySchema = z.object({ request: text, header: text, from: text });

const HOW_TO = {
  usage:
    'GET /explain?request=GET%20/path[&header=Name:%20value]…[&from=IP], or POST the same as JSON: { request, headers, as, body, from }',
};

/** What a query can say of a request; who calls and the body need a POST. */
type ExplainQuery = z.input<typeof querySchema>;

/** Adds `/explain` to the operators' listener: what would become of a request under the configuration in force. */
export function installExplain(server: FastifyInstance, snapshots: Snapshots): void {
  const tell = async (input: unknown, reply: FastifyReply): Promise<unknown> => {
    try {
      return await explain(readExplainInput(input), snapshots.current);
    } catch (error) {
      if (!(error instanceof ExplainFault)) throw error;
      return reply.code(400).send({ error: error.message });
    }
  };
  const summary = 'What would become of a request, without sending anything';
  server.post('/explain', operation('explainRequest', 'read', { summary }), ({ body }, reply) =>
    tell(body, reply),
  );
  server.get<{ Querystring: ExplainQuery }>(
    '/explain',
    operation('explain', 'read', { summary, query: querySchema }),
    ({ query: { request, header = [], from } }, reply) =>
      request === undefined ? HOW_TO : tell({ request, headers: [header].flat(), from }, reply),
  );
}
