import { fromBinary, toJsonString } from '@bufbuild/protobuf';
import type { Foreseen, ForeseenBody } from '../routing/foreseen.ts';
import { headOfCall } from '../upstreams/grpc/call-head.ts';
import { HTTP_BODY } from './answer-plan.ts';
import type { Target } from '../upstreams/target.ts';
import { checkMediaType } from './request-body.ts';
import { editedBytes, rawBody, requestFields } from './transcoder.ts';
import type { Translation } from './translation.ts';

/**
 * The call that a request would be translated to; nothing is sent. Its message is shown as JSON.
 *
 * @throws {Problem} for what is wrong with the request.
 */
export function foreseenTranslation(
  translation: Omit<Translation, 'sink'>,
  bytes: Buffer | undefined,
): Foreseen {
  const { exchange, upstream, binding } = translation;
  const kind = binding.method.methodKind;
  const isUpload = kind === 'client_streaming' || kind === 'bidi_streaming';
  const isSocket = exchange.request.headers.upgrade?.toLowerCase() === 'websocket';
  if (isUpload && !isSocket) checkMediaType(exchange, 'lines');
  const body = isUpload || isSocket ? undefined : messageOf(translation, bytes);
  const lines = isUpload ? 'one message for each line of the body' : undefined;
  const note = isSocket ? 'one call for each WebSocket, with its messages' : lines;
  const call = { path: binding.call.path, fields: requestFields(translation) };
  const headFor = (target: Target | undefined): string => headOfCall(exchange, target, call);
  return { requests: [{ upstream, note, headFor, body, answerField: binding.answer.fieldName }] };
}

function messageOf(translation: Omit<Translation, 'sink'>, bytes: Buffer | undefined): ForeseenBody {
  const { exchange, binding } = translation;
  const { plan, method } = binding;
  const isRaw = plan.bodyMessage?.typeName === HTTP_BODY;
  const read = plan.takesBody ? bytes : undefined;
  if (read !== undefined && !isRaw) checkMediaType(exchange, 'json');
  const edited = read && editedBytes(translation, read, isRaw);
  const content = edited !== undefined && isRaw ? rawBody(exchange, edited) : edited;
  const message = plan.encode(exchange, content);
  const as =
    edited === read ? `message ${method.input.typeName}` : `message ${method.input.typeName}, edited`;
  return { bytes: Buffer.from(toJsonString(method.input, fromBinary(method.input, message))), as };
}
