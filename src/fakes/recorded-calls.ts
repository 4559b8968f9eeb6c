import { fromJson, type DescMethod, type JsonValue } from '@bufbuild/protobuf';
import { shownJson } from '../explain/hidden.ts';
import type { RecordedExchange } from '../record/sample-format.ts';
import { methodOf, type ServiceSchema } from '../simulate/grpc-stand-in.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { grpcSource, type GrpcSource } from './grpc-source.ts';
import { askedFor, recordedAnswers } from './recorded-source.ts';

/** What was answered. */
interface Answers {
  /** Messages by path of the method and what it was asked with: the whole message, or what stood in the path of the route. */
  readonly byKey: ReadonlyMap<string, unknown>;
  /** By path of the method: the fields that stand in paths of routes. */
  readonly places: ReadonlyMap<string, ReadonlySet<string>>;
}

/**
 * Answers of a gRPC service as they were recorded of routes that translate REST to it. What it is asked, the gateway says of each of
 * them. A stream, which no sample has, is made of the schema.
 *
 * @throws {FakeFault} for a sample without an answer of that upstream.
 */
export async function recordedCalls(file: string, name: string, schema: ServiceSchema): Promise<GrpcSource> {
  const exchanges = await recordedAnswers(file, name);
  const made = grpcSource(schema, `sample ${file}`, file);
  let known: Promise<Answers> = Promise.resolve({ byKey: new Map(), places: new Map() });
  return {
    ...made,
    use: (snapshot) => (known = answersOf(exchanges, schema, snapshot)),
    async answer(to) {
      const method = methodOf(schema, to.path);
      if (method === undefined || answersInStream(method)) return made.answer(to);
      const message = found(await known, to.path, (to.message ?? {}) as Message);
      if (message !== undefined) return { headers: {}, delay: 0, message };
      const grpcMessage = `${file} has no answer for ${to.path} with this message`;
      return { headers: {}, delay: 0, grpcStatus: 'NOT_FOUND', grpcMessage };
    },
  };
}

type Message = Readonly<Record<string, unknown>>;

function found({ byKey, places }: Answers, path: string, message: Message): unknown {
  const whole = byKey.get(wholeKey(path, message));
  if (whole !== undefined) return whole;
  for (const fields of places.get(path) ?? []) {
    const values = fields === '' ? [] : fields.split(',').map((field) => valueAt(message, field));
    const one = byKey.get(placeKey(path, fields, values));
    if (one !== undefined) return one;
  }
  return undefined;
}

// As explained requests are shown: without secrets, which recorded ones are without as well.
function wholeKey(path: string, message: unknown): string {
  return `${path} ${shownJson(Buffer.from(JSON.stringify(message))) ?? ''}`;
}

const placeKey = (path: string, fields: string, values: readonly unknown[]): string =>
  JSON.stringify([path, fields, values.map(String)]);

/** Parameters of paths have the names of a schema, and messages those of JSON. */
const jsonName = (field: string): string =>
  field.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

const valueAt = (message: Message, field: string): unknown =>
  field.split('.').reduce<unknown>((at, name) => (at as Message | undefined)?.[name], message);

const answersInStream = ({ methodKind }: DescMethod): boolean =>
  methodKind === 'server_streaming' || methodKind === 'bidi_streaming';

async function answersOf(
  exchanges: readonly RecordedExchange[],
  schema: ServiceSchema,
  snapshot: Snapshot,
): Promise<Answers> {
  const byKey = new Map<string, unknown>();
  const places = new Map<string, Set<string>>();
  for (const exchange of exchanges) {
    const asked = await askedFor(exchange, snapshot);
    const [, path = ''] = /^POST (\S+)/.exec(asked?.sent?.line ?? '') ?? [];
    const method = methodOf(schema, path);
    if (asked === undefined || method === undefined || answersInStream(method)) continue;
    const message = messageOf(exchange, asked.answerField);
    if (!fits(method, message)) continue;
    byKey.set(`${path} ${asked.sent?.body?.json ?? ''}`, message);
    const fields = Object.keys(asked.params).map(jsonName).join(',');
    const key = placeKey(path, fields, Object.values(asked.params));
    if (!byKey.has(key)) byKey.set(key, message);
    places.set(path, (places.get(path) ?? new Set()).add(fields));
  }
  return { byKey, places };
}

/** What the service has answered, of which the client may have got one field. */
function messageOf({ answer }: RecordedExchange, field: string | undefined): JsonValue {
  const told = answer === undefined ? {} : (JSON.parse(answer) as JsonValue);
  return field === undefined ? told : { [field]: told };
}

// Policies may have made something else of it for clients.
function fits({ output }: DescMethod, message: JsonValue): boolean {
  try {
    fromJson(output, message);
    return true;
  } catch {
    return false;
  }
}
