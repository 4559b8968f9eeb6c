import type { Exchange } from '../../exchange/exchange.ts';
import type { ResponseHead, Stage, StageFactory, StageInput } from '../stage.ts';
import { compileFieldMask, type FieldMask } from './field-mask.ts';
import { compileHeaderEdits, editHeaders, type HeaderEdits } from './header-edits.ts';
import { transformPolicy } from './transform.policy.ts';

type RequestEdits = Parameters<typeof compileHeaderEdits>[0];

interface Mask {
  readonly apply: FieldMask;
  readonly maxBodyBytes: number;
}

/** Edits of one route, on the way in and on the way out. */
class TransformStage implements Stage {
  readonly enter: Stage['enter'];
  readonly head: Stage['head'];
  readonly heads: Stage['heads'];
  readonly body: Stage['body'];
  readonly maxBodyBytes: number | undefined;

  // Only the methods that this route needs exist, so that the others cost nothing.
  constructor(
    edits: { request: HeaderEdits | undefined; response: HeaderEdits | undefined; on: Stage['heads'] },
    mask: Mask | undefined,
  ) {
    const { request, response } = edits;
    this.heads = edits.on;
    this.enter = request && ((exchange: Exchange) => void (exchange.headerEdits = request));
    this.head = response && ((_: Exchange, head: ResponseHead) => editHeaders(head.headers, response));
    this.body = mask && ((_: Exchange, value: unknown) => mask.apply(value));
    this.maxBodyBytes = mask?.maxBodyBytes;
  }
}

/** Compiles the `transform` policy. */
export class TransformStageFactory implements StageFactory {
  readonly policy = transformPolicy;

  compile({ door, policies }: StageInput): Stage | undefined {
    const transform = policies.transform;
    if (transform === undefined) return undefined;
    const { response } = transform;
    const request =
      response?.maskFields && door === 'proxy' ? asReadable(transform.request) : transform.request;
    const mask = response?.maskFields && {
      apply: compileFieldMask(response.maskFields),
      maxBodyBytes: response.maxBody,
    };
    return new TransformStage(
      {
        request: compileHeaderEdits(request ?? {}),
        response: compileHeaderEdits(response ?? {}),
        on: response?.headersOn,
      },
      mask,
    );
  }
}

// Only a whole body that is not compressed can be masked, so that is what the upstream is asked for.
function asReadable(request: RequestEdits = {}): RequestEdits {
  return {
    setHeaders: { ...request.setHeaders, 'accept-encoding': 'identity' },
    removeHeaders: [...(request.removeHeaders ?? []), 'range', 'if-range'],
  };
}

/** Registers the policy in THE ORDER. */
export const transform = { policy: transformPolicy, factory: TransformStageFactory };
