import type { Exchange } from '../../exchange/exchange.ts';
import { below, StageError } from '../stage-error.ts';
import type { Stage, StageFactory, StageInput } from '../stage.ts';
import { compileFieldMask, type FieldMask } from './field-mask.ts';
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

interface Mask {
  readonly apply: FieldMask;
  readonly maxBodyBytes: number;
}

interface Edits {
  readonly request: HeaderEditor | undefined;
  readonly response: HeaderEditor | undefined;
  readonly perTarget: TargetEdits | undefined;
  readonly on: Stage['heads'];
}

/** Edits of one route, on the way in and on the way out. */
class TransformStage implements Stage {
  readonly enter: Stage['enter'];
  readonly head: Stage['head'];
  readonly heads: Stage['heads'];
  readonly body: Stage['body'];
  readonly maxBodyBytes: number | undefined;

  // Only the methods that this route needs exist, so that the others cost nothing.
  constructor(edits: Edits, mask: Mask | undefined) {
    this.heads = edits.on;
    this.enter = entering(edits);
    this.head = leaving(edits);
    this.body = mask && ((_: Exchange, value: unknown) => mask.apply(value));
    this.maxBodyBytes = mask?.maxBodyBytes;
  }
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

function leaving({ response, perTarget }: Edits): Stage['head'] {
  const ofTarget = perTarget?.editsResponses === true ? perTarget : undefined;
  if (response === undefined) return ofTarget && ((exchange, head) => ofTarget.editResponse(exchange, head));
  return (exchange, head) => {
    ofTarget?.editResponse(exchange, head);
    editHeaders(head.headers, response.fixed ?? response.editsFor(exchange));
  };
}

/** Compiles the `transform` policy. */
export class TransformStageFactory implements StageFactory {
  readonly policy = transformPolicy;

  compile({ door, policies, parameters = [], action }: StageInput): Stage | undefined {
    const transform = policies.transform;
    if (transform === undefined) return undefined;
    const { response, perTarget } = transform;
    // Fails closed: what is not enforced is not declared.
    if (perTarget !== undefined && action !== 'forward')
      throw new StageError(['perTarget'], 'only requests that are forwarded have a target of their own');
    const request =
      response?.maskFields && door === 'proxy' ? asReadable(transform.request) : transform.request;
    const mask = response?.maskFields && {
      apply: compileFieldMask(response.maskFields),
      maxBodyBytes: response.maxBody,
    };
    return new TransformStage(
      {
        request: below(['request'], () =>
          // A handler gets no fields that anything could be missing in.
          compileHeaderEdits(request ?? {}, { parameters, refusesMissing: door === 'proxy' }),
        ),
        // On the way out there is nobody to be refused.
        response: below(['response'], () =>
          compileHeaderEdits(response ?? {}, { parameters, refusesMissing: false }),
        ),
        perTarget: perTarget && below(['perTarget'], () => new TargetEdits(perTarget, parameters)),
        on: response?.headersOn,
      },
      mask,
    );
  }
}

// Only a whole body that is not compressed can be masked, so that is what the upstream is asked for.
function asReadable(request: HeaderEditOptions = {}): HeaderEditOptions {
  return {
    ...request,
    setHeaders: { ...request.setHeaders, 'accept-encoding': 'identity' },
    removeHeaders: [...(request.removeHeaders ?? []), 'range', 'if-range'],
  };
}

/** Registers the policy in THE ORDER. */
export const transform = { policy: transformPolicy, factory: TransformStageFactory };
