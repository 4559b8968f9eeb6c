import { z } from 'zod';
import { duration } from '../config/units.ts';

const text = z.string().min(1);

/** What can go wrong with an upstream. */
export const FAULTS = ['refuse', 'reset', 'hang', 'cut', 'garbage'] as const;

/** The status codes of gRPC, each at its number. */
export const GRPC_STATUS = [
  'OK', 'CANCELLED', 'UNKNOWN', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED', 'NOT_FOUND', 'ALREADY_EXISTS',
  'PERMISSION_DENIED', 'RESOURCE_EXHAUSTED', 'FAILED_PRECONDITION', 'ABORTED', 'OUT_OF_RANGE', 'UNIMPLEMENTED',
  'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS', 'UNAUTHENTICATED',
] as const; // prettier-ignore

/** One answer of an upstream. */
export const answer = z.strictObject({
  status: z.int().min(200).max(599).optional().describe('Status of HTTP. Default 200.'),
  headers: z
    .record(z.string(), z.union([z.string(), z.array(z.string())]))
    .default({})
    .describe('Header fields, of gRPC metadata. Default none, but for the type of a body that is JSON.'),
  body: z.unknown().optional().describe('A text, or what is sent as JSON. Default none.'),
  message: z.unknown().optional().describe('Of gRPC: the message, as its JSON. Default an empty one.'),
  messages: z.array(z.unknown()).optional().describe('Of gRPC: the messages of a stream.'),
  grpcStatus: z.enum(GRPC_STATUS).optional().describe('Of gRPC: the status. Default OK.'),
  grpcMessage: z.string().optional().describe('Of gRPC: what the status says besides.'),
  delay: duration.default(0).describe('How long it takes; no real time passes. Default 0s.'),
  fault: z
    .enum(FAULTS)
    .optional()
    .describe(
      'What goes wrong: nobody listens (`refuse`), the connection ends before an answer (`reset`) or within its body (`cut`), no answer comes (`hang`), or one that cannot be read (`garbage`).',
    ),
});

/** Answers by upstream: one, or several that come one after the other, of which the last one stays. */
export const answers = z.record(
  text,
  z.union([answer, z.array(answer).min(1)]).transform((given) => [given].flat()),
);

/** What an upstream answers. */
export type FakeAnswer = z.output<typeof answer>;
/** By upstream. */
export type FakeAnswers = z.output<typeof answers>;
