import { fromBinary, type DescMessage } from '@bufbuild/protobuf';
import { anyUnpack, durationMs } from '@bufbuild/protobuf/wkt';
import { createRegistry } from '@bufbuild/protobuf';
import { retryAfterSeconds, type ProblemOptions } from '../../problems/problem.ts';
import {
  BadRequestSchema,
  ErrorInfoSchema,
  LocalizedMessageSchema,
  RetryInfoSchema,
  type BadRequest,
  type ErrorInfo,
  type LocalizedMessage,
  type RetryInfo,
} from './gen/google/rpc/error_details_pb.ts';
import { StatusSchema } from './gen/google/rpc/status_pb.ts';
import { fieldNamed } from './field-path.ts';

/** One thing that is wrong with a request. */
export interface InputFault {
  /** JSON pointer (RFC 6901) into the request message. */
  readonly pointer: string;
  /** What was expected; never repeats what was sent. */
  readonly message: string;
  /** Name of the query or path parameter, when it came from one. */
  readonly parameter?: string;
}

/** A name, an index, or a key of a map in quotes. */
const STEP = /"([^"]*)"|([^.[\]"]+)/g;
const known = createRegistry(BadRequestSchema, ErrorInfoSchema, LocalizedMessageSchema, RetryInfoSchema);

/** A detail that says something to the caller. */
export type Detail = BadRequest | ErrorInfo | LocalizedMessage | RetryInfo;

/**
 * Reads what a service means for the caller from the typed details of its status (google/rpc/error_details.proto):
 * `BadRequest` becomes `errors`, `RetryInfo` the field `Retry-After`, `ErrorInfo` `reason` and `domain`, and
 * `LocalizedMessage` the `detail`. Everything else, such as `DebugInfo` and the status' own text, stays inside.
 *
 * @param bytes the details, if there are some.
 * @param input the request message, whose fields `BadRequest` names.
 * @param inDocument makes pointers into that message those into what the client has sent.
 */
export function statusDetails(
  bytes: Uint8Array | undefined,
  input: DescMessage,
  inDocument: (errors: readonly InputFault[]) => readonly InputFault[],
): ProblemOptions {
  let detail: string | undefined;
  const headers: Record<string, string> = {};
  const extensions: Record<string, unknown> = {};
  for (const one of bytes === undefined ? [] : detailsIn(bytes)) {
    if (one.$typeName === 'google.rpc.LocalizedMessage') detail = one.message;
    else if (one.$typeName === 'google.rpc.BadRequest')
      extensions['errors'] = inDocument(errorsOf(one, input));
    else if (one.$typeName === 'google.rpc.ErrorInfo') {
      Object.assign(extensions, { reason: one.reason, domain: one.domain });
    } else if (one.retryDelay !== undefined) {
      headers['retry-after'] = retryAfterSeconds(durationMs(one.retryDelay));
    }
  }
  return { ...(detail === undefined ? {} : { detail }), headers, extensions };
}

/** Unpacks the details of a `google.rpc.Status` that are known; none when it cannot be read. */
export function detailsIn(bytes: Uint8Array): readonly Detail[] {
  try {
    const { details } = fromBinary(StatusSchema, bytes);
    return details.flatMap((any) => (anyUnpack(any, known) as Detail | undefined) ?? []);
  } catch {
    // Details that cannot be read say nothing; the status itself still does.
    return [];
  }
}

/** What a `BadRequest` says, with JSON pointers into the request message. */
export function errorsOf(bad: BadRequest, input: DescMessage): InputFault[] {
  return bad.fieldViolations.map(({ field, description, localizedMessage }) => ({
    pointer: violationPointer(field, input),
    message: localizedMessage?.message ?? description,
  }));
}

/** Makes a JSON pointer of a field path such as `order.line_items[0].sku`. */
export function violationPointer(path: string, input: DescMessage): string {
  let message: DescMessage | undefined = input;
  let pointer = '';
  for (const [, quoted, plain = ''] of path.matchAll(STEP)) {
    const step = quoted ?? plain;
    const field: ReturnType<typeof fieldNamed> = message && fieldNamed(message, step);
    pointer += `/${(field?.jsonName ?? step).replaceAll('~', '~0').replaceAll('/', '~1')}`;
    // An index or a key of a map leaves the message as it is.
    if (field !== undefined) message = field.message;
  }
  return pointer;
}
