import type { Exchange } from '../../exchange/exchange.ts';
import type { IncomingEdit } from '../incoming-edit.ts';
import { StageFault } from '../stage-fault.ts';
import type { ResponseHead, Stage, StageFactory, StageInput } from '../stage.ts';
import { compileAnswerBody, compileIncoming, type AnswerBodyEdit } from './body-edits.ts';
import { keepPrivate } from './private-answer.ts';
import { compileHeaderEdits, editHeaders, type HeaderEdits } from './header-edits.ts';
import { transformPolicy } from './transform.policy.ts';

type RequestEdits = Parameters<typeof compileHeaderEdits>[0];

/** What a stage is made of, as far as its route needs it. */
interface Edits {
  readonly request: HeaderEdits | undefined;
  readonly incoming: IncomingEdit | undefined;
  readonly response: HeaderEdits | undefined;
  readonly on: Stage['heads'];
  readonly answer: AnswerBodyEdit | undefined;
}

/** Edits of one route, on the way in and on the way out. */
class TransformStage implements Stage {
  readonly enter: Stage['enter'];
  readonly incoming: Stage['incoming'];
  readonly head: Stage['head'];
  readonly heads: Stage['heads'];
  readonly body: Stage['body'];
  readonly bodies: Stage['bodies'];
  readonly onBodyFault: Stage['onBodyFault'];
  readonly maxBodyBytes: Stage['maxBodyBytes'];

  // Only the methods that this route needs exist, so that the others cost nothing.
  constructor({ request, incoming, response, on, answer }: Edits) {
    this.heads = on;
    this.enter = request && ((exchange: Exchange) => void (exchange.headerEdits = request));
    this.incoming = incoming;
    this.head = headOf(response, answer?.isPersonal === true);
    this.body = answer?.body;
    this.bodies = answer?.bodies;
    this.onBodyFault = answer?.onBodyFault;
    this.maxBodyBytes = answer?.maxBodyBytes;
  }
}

function headOf(edits: HeaderEdits | undefined, isPersonal: boolean): Stage['head'] {
  if (!isPersonal) return edits && ((_: Exchange, head: ResponseHead) => editHeaders(head.headers, edits));
  return (_: Exchange, head: ResponseHead) => {
    keepPrivate(head.headers);
    if (edits !== undefined) editHeaders(head.headers, edits);
  };
}

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
    return new TransformStage({
      request: compileHeaderEdits((isHeld ? asReadable(transform.request) : transform.request) ?? {}),
      incoming: compileIncoming(transform.request),
      response: compileHeaderEdits(response ?? {}),
      on: response?.headersOn,
      answer,
    });
  }
}

// Only a whole body that is not compressed can be masked and edited, so that is what the upstream is asked for.
function asReadable(request: RequestEdits = {}): RequestEdits {
  return {
    setHeaders: { ...request.setHeaders, 'accept-encoding': 'identity' },
    removeHeaders: [...(request.removeHeaders ?? []), 'range', 'if-range'],
  };
}

/** Registers the policy in THE ORDER. */
export const transform = { policy: transformPolicy, factory: TransformStageFactory };
