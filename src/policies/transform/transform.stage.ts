import type { Exchange } from '../../exchange/exchange.ts';
import { below } from '../below-stage.ts';
import type { IncomingEdit } from '../incoming-edit.ts';
import { StageFault } from '../stage-fault.ts';
import type { StageFactory, StageInput } from '../stage-factory.ts';
import { changes, passes, type StageVerdict } from '../explained-stage.ts';
import type { Stage } from '../stage.ts';
import { compileAnswerBody, compileIncoming, type AnswerBodyEdit } from './body-edits.ts';
import { keepPrivate } from './private-answer.ts';
import {
  compileHeaderEdits,
  editHeaders,
  NO_EDITS,
  type HeaderEditOptions,
  type HeaderEditor,
  type HeaderEdits,
} from './header-edits.ts';
import { TargetEdits } from './target-edits.ts';
import { transformPolicy } from './transform.policy.ts';

/** What a stage is made of, as far as its route needs it. */
interface Edits {
  readonly request: HeaderEditor | undefined;
  readonly incoming: IncomingEdit | undefined;
  readonly response: HeaderEditor | undefined;
  readonly perTarget: TargetEdits | undefined;
  readonly on: Stage['heads'];
  readonly answer: AnswerBodyEdit | undefined;
}

/** Edits of one route, on the way in and on the way out. */
class TransformStage implements Stage {
  readonly enter: Stage['enter'];
  readonly explain: Stage['explain'];
  readonly incoming: Stage['incoming'];
  readonly head: Stage['head'];
  readonly heads: Stage['heads'];
  readonly body: Stage['body'];
  readonly bodies: Stage['bodies'];
  readonly onBodyFault: Stage['onBodyFault'];
  readonly maxBodyBytes: Stage['maxBodyBytes'];

  // Only the methods that this route needs exist, so that the others cost nothing.
  constructor(edits: Edits) {
    const { incoming, on, answer } = edits;
    this.heads = on;
    this.enter = entering(edits);
    this.explain = explaining(this.enter, edits);
    this.incoming = incoming;
    this.head = headOf(leaving(edits), answer?.isPersonal === true);
    this.body = answer?.body;
    this.bodies = answer?.bodies;
    this.onBodyFault = answer?.onBodyFault;
    this.maxBodyBytes = answer?.maxBodyBytes;
  }
}

function headOf(edit: Stage['head'], isPersonal: boolean): Stage['head'] {
  if (!isPersonal) return edit;
  return (exchange, head) => {
    keepPrivate(head.headers);
    edit?.(exchange, head);
  };
}

// All that it does on the way in is to write its edits on the exchange.
function explaining(
  enter: Stage['enter'],
  { incoming, response, perTarget, answer }: Edits,
): Stage['explain'] {
  const what = [
    ...(incoming === undefined ? [] : ['the body of the request']),
    ...(response === undefined ? [] : ['fields of the answer']),
    ...(answer === undefined ? [] : ['the body of the answer']),
    ...(perTarget === undefined ? [] : ['what targets with certain labels get']),
  ];
  return (exchange): StageVerdict => {
    void enter?.(exchange);
    const { drop } = exchange.headerEdits ?? NO_EDITS;
    const facts = drop.size === 0 ? undefined : { 'sets or removes': [...drop].join(', ') };
    const changed = [...(facts === undefined ? [] : ['fields of the request']), ...what];
    return changed.length === 0 ? passes() : changes(changed.join(', '), facts);
  };
}

function entering({ request, perTarget }: Edits): Stage['enter'] {
  if (perTarget !== undefined) {
    const closed = withFolded(request, perTarget.folded);
    return (exchange) => {
      exchange.headerEdits = closed(exchange);
      exchange.targetEdits = perTarget;
    };
  }
  const fixed = request?.fixed;
  if (fixed !== undefined) return (exchange) => void (exchange.headerEdits = fixed);
  return request && ((exchange) => void (exchange.headerEdits = request.editsFor(exchange)));
}

/** The edits of a request, and the fields that only some targets get: none of them is a client's to say. */
function withFolded(
  request: HeaderEditor | undefined,
  more: ReadonlySet<string>,
): (exchange: Exchange) => HeaderEdits {
  const close = (edits: HeaderEdits): HeaderEdits => ({
    ...edits,
    folded: new Set([...edits.folded, ...more]),
  });
  const fixed = request === undefined ? close(NO_EDITS) : request.fixed && close(request.fixed);
  if (fixed !== undefined) return () => fixed;
  return (exchange) => close(request?.editsFor(exchange) ?? NO_EDITS);
}

/** Edits of heads, but for what keeps them private. */
function leaving({ response, perTarget }: Edits): Stage['head'] {
  const ofTarget = perTarget?.editsResponses === true ? perTarget : undefined;
  if (response === undefined) return ofTarget && ((exchange, head) => ofTarget.editResponse(exchange, head));
  return (exchange, head) => {
    ofTarget?.editResponse(exchange, head);
    editHeaders(head.headers, response.fixed ?? response.editsFor(exchange));
  };
}

/** The kinds of routes whose requests go to one target of one upstream. */
const HAVE_TARGETS: ReadonlySet<string | undefined> = new Set(['forward', 'passGrpc', 'translate']);

/** Compiles the `transform` policy. */
export class TransformStageFactory implements StageFactory {
  readonly policy = transformPolicy;

  compile(input: StageInput): Stage | undefined {
    const { transform, cache } = input.policies;
    if (transform === undefined) return undefined;
    const { response } = transform;
    const answer = compileAnswerBody(response, input);
    if (answer?.isPersonal === true && cache?.scope === 'public') {
      // Fails closed: what is composed is stored as it was sent, so that everybody would see what one of them may.
      const message =
        'makes answers that differ by their callers, which `cache.scope: public` cannot keep apart';
      throw new StageFault(['transform', 'response'], message);
    }
    const isHeld = answer !== undefined && input.door === 'proxy';
    const request = isHeld ? asReadable(transform.request) : transform.request;
    return new TransformStage({
      ...below(['transform'], () => headerEditsOf({ ...transform, request }, input)),
      incoming: compileIncoming(transform.request),
      on: response?.headersOn,
      answer,
    });
  }
}

type Options = NonNullable<StageInput['policies']['transform']>;
type HeaderOptions = Pick<Options, 'response' | 'perTarget'> & {
  readonly request: HeaderEditOptions | undefined;
};

function headerEditsOf(
  { request, response, perTarget }: HeaderOptions,
  { door, parameters = [], action }: StageInput,
): Pick<Edits, 'request' | 'response' | 'perTarget'> {
  // Fails closed: what is not enforced is not declared.
  if (perTarget !== undefined && !HAVE_TARGETS.has(action))
    throw new StageFault(['perTarget'], 'only requests that are forwarded have a target of their own');
  return {
    // A handler gets no fields that anything could be missing in.
    request: below(['request'], () =>
      compileHeaderEdits(request ?? {}, { parameters, refusesMissing: door === 'proxy' }),
    ),
    // On the way out there is nobody to be refused.
    response: below(['response'], () =>
      compileHeaderEdits(response ?? {}, { parameters, refusesMissing: false }),
    ),
    perTarget: perTarget && below(['perTarget'], () => new TargetEdits(perTarget, parameters)),
  };
}

// Only a whole body that is not compressed can be masked and edited, so that is what the upstream is asked for.
function asReadable(request: HeaderEditOptions = {}): HeaderEditOptions {
  return {
    ...request,
    setHeaders: { ...request.setHeaders, 'accept-encoding': 'identity' },
    removeHeaders: [...(request.removeHeaders ?? []), 'range', 'if-range'],
  };
}

/** Registers the policy in THE ORDER. */
export const transform = { policy: transformPolicy, factory: TransformStageFactory };
