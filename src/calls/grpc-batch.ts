import type { DescMessage, DescMethodUnary, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { Problem } from '../problems/problem.ts';
import { PlainFault } from '../telemetry/error-facts.ts';
import type { BatchAnswer, BatchPlan } from './call-plan.ts';

/** The ids operation of a gRPC upstream, and how its messages relate to those of the call. */
export interface GrpcBatchOptions<In, Out, ManyIn extends DescMessage, ManyOut extends DescMessage> {
  /** The method that reads many. */
  readonly method: DescMethodUnary<ManyIn, ManyOut>;
  /** Most ids of one request; more become several requests, made in parallel. */
  readonly max: number;
  /** The id that an input asks for. */
  readonly id: (input: In) => string;
  /** Makes the request for different ids; all inputs are of the group of the first one. */
  readonly request: (ids: readonly string[], first: In) => MessageInitShape<ManyIn>;
  /** Takes the answer apart: each element with its id. */
  readonly entries: (answer: MessageShape<ManyOut>) => Iterable<readonly [id: string, element: Out]>;
  /** What else of the input the request would depend on; inputs that differ in it never meet. Default: nothing. */
  readonly group?: (input: In) => string;
  /** What an id that does not exist becomes; absent: `resource-not-found`. */
  readonly missing?: Out;
}

/** Compiles the ids operation of a call of an upstream. */
export function compileGrpcBatch<In, Out, ManyIn extends DescMessage, ManyOut extends DescMessage>(
  upstream: string,
  options: GrpcBatchOptions<In, Out, ManyIn, ManyOut>,
): BatchPlan<In, Out> {
  const { method, max, id, request, entries, group } = options;
  return Object.freeze({
    operation: `${method.parent.typeName}/${method.name}`,
    max,
    groupOf: group ?? (() => ''),
    idOf: id,
    joins: () => true,
    async load({ upstreams, grpc }, inputs, { exchange, timeoutMs, trail, span }) {
      const limits = { exchange, timeoutMs, trail, span, idempotent: true };
      const answer = await grpc.unary(
        upstreams.of(exchange, upstream),
        method,
        request(inputs.map(id), inputs[0] as In),
        limits,
      );
      return sortOut(entries(answer));
    },
  } satisfies BatchPlan<In, Out>);
}

// As over HTTP: the first of two elements with an id counts, and one without may be any that is missing.
function sortOut<Out>(entries: Iterable<readonly [id: string, element: Out]>): BatchAnswer<Out> {
  const found = new Map<string, Out>();
  let stray: Problem | undefined;
  for (const [id, element] of entries) {
    if (id === '') stray ??= new Problem('upstream-response-invalid', { cause: NO_ID });
    else if (!found.has(id)) found.set(id, element);
  }
  return { found, faults: new Map(), stray };
}

const NO_ID = new PlainFault('an element of the answer for many ids has no id');
