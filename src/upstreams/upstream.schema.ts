import { isIP } from 'node:net';
import { z } from 'zod';
import { size, timerDuration } from '../config/units.ts';
import { isIn } from '../exchange/subset.ts';
import { balancingKeys } from './balancing/balancing.schema.ts';
import { discoverySchema, schemeOf, type DiscoveryOptions } from './discovery/discovery.schema.ts';
import { fieldNameOf } from './http/field-names.ts';
import { proxyFieldKeys } from './http/proxy-fields.ts';
import { descriptorKeys, DESCRIPTOR_KEYS } from './grpc/descriptors/descriptor-keys.ts';
import { deadlineHeaderSchema } from './http/deadline-field.ts';
import { hedgeFault, hedgeSchema } from './hedging/hedge-policy.ts';
import { retryFaults, retrySchema } from './retry-policy.ts';
import { upstreamIdentitySchema } from './identity/identity.schema.ts';
import { healthSchema, probeFaults } from './health/health.schema.ts';
import { schemeFault, targetSchema, type TargetOptions } from './target.schema.ts';
import { QUEUE_TIMEOUT_MS } from './transport/wait-queue.ts';
import { circuitBreakerPolicy } from '../policies/circuit-breaker/circuit-breaker.policy.ts';
import { TOKEN } from '../config/field-name.ts';

const timeouts = z.strictObject({
  connect: timerDuration.default(1000).describe('Time to open a connection. Default 1s.'),
  queue: timerDuration
    .default(QUEUE_TIMEOUT_MS)
    .describe('Time that a request waits for a free connection, then 503. Default 1s.'),
  firstByte: timerDuration.default(30_000).describe('Time until the head of the answer. Default 30s.'),
  idle: timerDuration
    .default(30_000)
    .describe('Longest silence while a body streams, in either direction. Default 30s.'),
});

const pemFile = z.string().min(1);

const tls = z
  .strictObject({
    ca: pemFile
      .optional()
      .describe(
        'File with the authorities (PEM) that certify the targets, and no others do. Default those of the system.',
      ),
    cert: pemFile
      .optional()
      .describe(
        'File with the certificate (PEM) that the gateway shows, and those between it and its authority.',
      ),
    key: pemFile.optional().describe('File with the private key (PEM) of `cert`, without a passphrase.'),
    serverName: z
      .hostname('expected a host name')
      .refine((name) => isIP(name) === 0, 'expected a host name, not an address')
      .optional()
      .describe(
        'The name that the targets are asked for, and that they have to be certified for. Default theirs.',
      ),
    verify: z
      .boolean()
      .default(true)
      .describe('Whether the targets have to prove who they are; `false` is for tests. Default true.'),
  })
  .superRefine(({ cert, key }, context) => {
    if ((cert === undefined) === (key === undefined)) return;
    const [given, missing] = cert === undefined ? ['key', 'cert'] : ['cert', 'key'];
    context.addIssue({ code: 'custom', path: [given], message: `expected \`${missing}\` beside it` });
  });

const passedName = z
  .string()
  .regex(TOKEN, 'expected a header field name')
  .toLowerCase()
  .superRefine((name, context) => {
    const { fate } = fieldNameOf(name);
    if (fate === 'claim') return;
    const message =
      fate !== 'pass'
        ? `expected no ${name}: what it says is the gateway's to say, and never passes`
        : `expected a field that is held back by default; ${name} passes anyway`;
    context.addIssue({ code: 'custom', message });
  });

function proxyFieldsOfGrpc(options: {
  readonly protocol: 'http' | 'grpc';
  readonly host: string;
  readonly forwarded: string;
  readonly via?: string | undefined;
}): string[] {
  const { protocol, host, forwarded, via } = options;
  if (protocol === 'http') return [];
  const given = { host: host !== 'target', forwarded: forwarded !== 'xForwarded', via: via !== undefined };
  return Object.entries(given).flatMap(([key, isGiven]) => (isGiven ? [key] : []));
}

interface Place {
  readonly protocol: 'http' | 'grpc';
  readonly targets: readonly TargetOptions[];
  readonly discovery?: DiscoveryOptions | undefined;
  readonly tls?: unknown;
}

function placeFaults(upstream: Place): { path: (string | number)[]; message: string }[] {
  const { targets, discovery } = upstream;
  if (discovery === undefined && targets.length === 0)
    return [{ path: [], message: 'expected `targets`, or `discovery` that brings them' }];
  if (discovery !== undefined && targets.length > 0)
    return [{ path: ['discovery'], message: 'expected one of targets and discovery, not both' }];
  if (discovery !== undefined) {
    const message = schemeFault({ url: `${schemeOf(discovery, upstream)}://` }, upstream);
    return message === undefined ? [] : [{ path: ['discovery', 'scheme'], message }];
  }
  return targets.flatMap((target, index) => {
    const message = schemeFault(target, upstream);
    return message === undefined ? [] : [{ path: ['targets', index], message }];
  });
}

/** One upstream of the configuration file. */
export const upstreamSchema = z
  .strictObject({
    protocol: z
      .enum(['http', 'grpc'])
      .default('http')
      .describe('How the targets are spoken to. Default http.'),
    targets: z
      .array(targetSchema)
      .min(1)
      .default([])
      .describe('The addresses behind the upstream. Needed unless there is `discovery`.'),
    discovery: discoverySchema
      .optional()
      .describe('Where the addresses are learned from while the gateway runs, instead of `targets`.'),
    ...balancingKeys,
    circuitBreaker: z
      .union([z.literal('off'), circuitBreakerPolicy.schema])
      .prefault({})
      .describe('The breaker of each target; `off` for none.'),
    health: healthSchema
      .prefault({})
      .describe('How is found out whether targets are well. Default: only their breakers look at calls.'),
    retry: retrySchema.prefault({}).describe('When a request is tried again, and how often.'),
    hedge: hedgeSchema.default('off'),
    timeouts: timeouts.prefault({}).describe('Limits of the single steps.'),
    maxConnections: z
      .int()
      .min(1)
      .default(256)
      .describe(
        'Connections per target: of HTTP/1.1 for proxied requests and calls together, of HTTP/2 for calls and for streams of gRPC each. Default 256.',
      ),
    maxResponseHead: size
      .refine((bytes) => bytes >= 1024 && bytes <= 1_048_576, 'expected 1KiB to 1MiB')
      .default(32_768)
      .describe('Largest head of an answer over HTTP/1.1, and largest trailers. Default 32KiB.'),
    compression: z
      .enum(['none', 'gzip'])
      .default('none')
      .describe(
        'What is sent to targets of gRPC is compressed with; small messages of unary calls never are. Default none.',
      ),
    passHeaders: z
      .array(passedName)
      .default([])
      .describe(
        'Header fields of clients that reach the targets, though services may take them for the word of a gateway, such as X-HTTP-Method-Override. Default none.',
      ),
    deadlineHeader: deadlineHeaderSchema.optional(),
    identity: upstreamIdentitySchema
      .optional()
      .describe('What its services learn of callers. Default: the plain identity headers.'),
    ...proxyFieldKeys,
    tls: tls
      .optional()
      .describe(
        'TLS to the targets, whatever is spoken over it. Names of files are relative to the configuration file.',
      ),
    ...descriptorKeys,
  })
  .superRefine((upstream, context) => {
    const given = DESCRIPTOR_KEYS.filter((key) => upstream[key] !== undefined);
    const wrong = upstream.protocol === 'grpc' ? given[1] : given[0];
    if (wrong !== undefined) {
      const message =
        upstream.protocol === 'grpc'
          ? `expected one of ${DESCRIPTOR_KEYS.join(', ')}, not several`
          : `expected no \`${wrong}\`, because the protocol is http`;
      context.addIssue({ code: 'custom', path: [wrong], message });
    }
    if (upstream.compression !== 'none' && upstream.protocol === 'http') {
      const message = 'expected no `compression`, because the protocol is http';
      context.addIssue({ code: 'custom', path: ['compression'], message });
    }
    if (upstream.passHeaders.length > 0 && upstream.protocol === 'grpc') {
      const message = 'expected no `passHeaders`, because the protocol is grpc; see `metadata` of its routes';
      context.addIssue({ code: 'custom', path: ['passHeaders'], message });
    }
    if (upstream.deadlineHeader !== undefined && upstream.protocol === 'grpc') {
      const message = 'expected no `deadlineHeader`, because the protocol is grpc, which has `grpc-timeout`';
      context.addIssue({ code: 'custom', path: ['deadlineHeader'], message });
    }
    const late = hedgeFault(upstream.hedge, upstream.timeouts.firstByte);
    if (late !== undefined) context.addIssue({ code: 'custom', path: ['hedge', 'delay'], message: late });
    for (const { index, message } of retryFaults(upstream.protocol, upstream.retry.on))
      context.addIssue({ code: 'custom', path: ['retry', 'on', index], message });
    for (const { key, message } of probeFaults(upstream.protocol, upstream.health.active))
      context.addIssue({ code: 'custom', path: ['health', 'active', key], message });
    for (const key of proxyFieldsOfGrpc(upstream)) {
      const message = `expected no \`${key}\`, because the protocol is grpc`;
      context.addIssue({ code: 'custom', path: [key], message });
    }
    const { subset, targets, discovery } = upstream;
    // Which labels discovered targets will have, nobody knows.
    if (
      subset !== undefined &&
      discovery === undefined &&
      !targets.some(({ labels }) => isIn({ labels: subset }, labels))
    )
      context.addIssue({ code: 'custom', path: ['subset'], message: 'no target has these labels' });
    for (const issue of placeFaults(upstream)) context.addIssue({ code: 'custom', ...issue });
  });

/** The parsed options of an upstream. */
export type UpstreamOptions = z.output<typeof upstreamSchema>;

export type { TargetOptions } from './target.schema.ts';
