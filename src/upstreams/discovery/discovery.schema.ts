import { isIP } from 'node:net';
import { z } from 'zod';
import { timerDuration } from '../../config/units.ts';
import { httpUrl, urlFault } from '../../config/url.ts';
import { variableName } from '../../config/variable-name.ts';

const fileName = z.string().min(1);

function between(leastMs: number, mostMs: number, words: string) {
  return timerDuration.refine((ms) => ms >= leastMs && ms <= mostMs, `expected ${words}`);
}

const port = z.int().min(1).max(65_535);

const serverAddress = z.string().superRefine((text, context) => {
  const rules = {
    schemes: ['dns'],
    example: '10.0.0.2, 10.0.0.2:53 or [fd00::2]:53',
    rest: 'nothing',
  } as const;
  const host =
    /^\[([^\]]*)\]|^([^:]*)/
      .exec(text)
      ?.slice(1)
      .find((one) => one !== undefined) ?? '';
  const isAddress = isIP(text) !== 0 || (isIP(host) !== 0 && urlFault(`dns://${text}`, rules) === undefined);
  if (isAddress) return;
  context.addIssue({
    code: 'custom',
    message: `expected an address, and a port where it is not 53, such as ${rules.example}`,
  });
});

const domainName = z
  .string()
  .max(253)
  .regex(
    /^(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)*[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.?$/,
    'expected a name of DNS, such as users.internal.example',
  );

const dns = z
  .strictObject({
    name: domainName.describe(
      'What is looked up, in full: no search list of the system is applied. For SRV such as `_http._tcp.users.internal`.',
    ),
    type: z
      .enum(['A', 'AAAA', 'A+AAAA', 'SRV'])
      .default('A')
      .describe(
        'Records that are asked for. SRV brings port, priority and weight of each target. Default A.',
      ),
    port: port
      .optional()
      .describe('Port of all targets. Needed unless the type is SRV, whose records say it.'),
    servers: z
      .array(serverAddress)
      .min(1)
      .max(8)
      .optional()
      .describe(
        'Name servers, asked in this order: address, and port where it is not 53. Default those of the system.',
      ),
    transport: z
      .enum(['udp', 'tcp'])
      .default('udp')
      .describe(
        'What is asked over. What does not fit into an answer over UDP is asked over TCP in any case; `tcp` is for servers that send a random part of many records. Default udp.',
      ),
    timeout: between(10, 30_000, '10ms to 30s')
      .default(2000)
      .describe('How long one server may take for one question. Default 2s.'),
    minTtl: between(100, 3_600_000, '100ms to 1h')
      .default(5000)
      .describe('Time between two looks at least, whatever the records say. Default 5s.'),
    maxTtl: between(100, 3_600_000, '100ms to 1h')
      .default(60_000)
      .describe('Time between two looks at most. Default 60s.'),
  })
  .superRefine((options, context) => {
    if ((options.type === 'SRV') === (options.port !== undefined)) {
      const message =
        options.type === 'SRV'
          ? 'expected no `port`: records of type SRV say it'
          : `expected \`port\`: records of type ${options.type} say none`;
      context.addIssue({ code: 'custom', path: options.type === 'SRV' ? ['port'] : [], message });
    }
    if (options.minTtl > options.maxTtl) {
      context.addIssue({ code: 'custom', path: ['minTtl'], message: 'expected no more than `maxTtl`' });
    }
  });

const consul = z
  .strictObject({
    service: z.string().min(1).max(255).describe('Name of the service in the catalogue.'),
    url: httpUrl
      .default('http://127.0.0.1:8500')
      .describe('Where the HTTP API is, best the agent of this machine. Default http://127.0.0.1:8500.'),
    datacenter: z.string().min(1).optional().describe("Whose catalogue is asked. Default the agent's own."),
    tags: z
      .array(z.string().min(1))
      .max(16)
      .default([])
      .describe('Only instances that have all of these tags. Default all instances.'),
    stale: z
      .boolean()
      .default(true)
      .describe('Whether any server may answer, also while there is no leader. Default true.'),
    wait: between(1000, 600_000, '1s to 10m')
      .default(300_000)
      .describe('How long the agent holds a question back until something changes. Default 5m.'),
    tokenEnv: variableName
      .optional()
      .describe('Name of the environment variable that holds the ACL token. Default no token.'),
    tokenFile: fileName
      .optional()
      .describe('File with the ACL token, read again for each question. Default no token.'),
    ca: fileName
      .optional()
      .describe(
        'File with the authorities (PEM) that certify an https:// agent. Default those of the system.',
      ),
  })
  .superRefine((options, context) => {
    if (options.tokenEnv === undefined || options.tokenFile === undefined) return;
    context.addIssue({
      code: 'custom',
      path: ['tokenFile'],
      message: 'expected one of tokenEnv and tokenFile',
    });
  });

const label = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, 'expected a name of Kubernetes, such as users');

const kubernetes = z.strictObject({
  service: label.describe('Name of the Service whose EndpointSlices are followed.'),
  namespace: label
    .optional()
    .describe('Namespace of the Service. Default the one of the pod, or of the context of the kubeconfig.'),
  port: z
    .union([port, z.string().min(1).max(63)])
    .optional()
    .describe('Name or number of the port of the pods. Default the only one there is.'),
  kubeconfig: fileName
    .optional()
    .describe('File with cluster and credentials. Default the service account of the pod.'),
  context: z.string().min(1).optional().describe('Context of the kubeconfig. Default its current one.'),
  family: z
    .enum(['IPv4', 'IPv6'])
    .default('IPv4')
    .describe('Which address is taken of pods that have both. Default IPv4.'),
  zone: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Zone of this gateway, such as ${ZONE}: with it, hints of the cluster about zones are kept to. Default none.',
    ),
});

const file = z.strictObject({
  path: fileName.describe(
    'JSON file with the targets, relative to the configuration file: a list as under `targets`. Replace it by renaming another over it.',
  ),
});

/** The kinds of discovery, as their keys in the configuration. */
export const KINDS = ['dns', 'consul', 'kubernetes', 'file'] as const;

/** Where the targets of an upstream are learned from, while the gateway runs. */
export const discoverySchema = z
  .strictObject({
    dns: dns.optional().describe('Records of a name.'),
    consul: consul.optional().describe('A service in the catalogue of Consul.'),
    kubernetes: kubernetes.optional().describe('The EndpointSlices of a Service.'),
    file: file.optional().describe('A JSON file.'),
    scheme: z
      .enum(['http', 'https', 'grpc', 'grpcs'])
      .optional()
      .describe(
        'How targets are reached; a file says it itself. Default http or grpc by `protocol`, with `tls` https or grpcs.',
      ),
    emptyGrace: between(0, 86_400_000, '0s to 1d')
      .optional()
      .describe(
        'How long a source has to say that there is no target at all before it is believed; at least two answers. Default 30s, or twice the time between two looks if that is longer.',
      ),
    maxStale: between(1000, 604_800_000, '1s to 7d')
      .default(600_000)
      .describe(
        'Age of the last answer from which on it is warned of. Nothing is removed for it. Default 10m.',
      ),
    firstAnswer: between(0, 600_000, '0s to 10m')
      .default(5000)
      .describe('How long readiness waits for the first answer after a start. Default 5s.'),
    lastKnown: fileName
      .optional()
      .describe(
        'File that the targets are written to when they change, and that a start begins with until the source answers. Its folder has to be writable. Default none: a start knows nothing.',
      ),
  })
  .superRefine((options, context) => {
    const given = KINDS.filter((kind) => options[kind] !== undefined);
    if (given.length === 1) {
      if (given[0] !== 'file') return;
      const fault = (key: string, why: string): void =>
        context.addIssue({ code: 'custom', path: [key], message: `expected no \`${key}\`: ${why}` });
      if (options.scheme !== undefined) fault('scheme', 'the file says it of each target');
      if (options.lastKnown !== undefined) fault('lastKnown', 'the file is there at a start by itself');
      return;
    }
    const message = `expected one of ${KINDS.join(', ')}${given.length === 0 ? '' : ', not several'}`;
    context.addIssue({ code: 'custom', path: given.slice(1, 2), message });
  });

/** The parsed options of discovery. */
export type DiscoveryOptions = z.output<typeof discoverySchema>;

/** The parsed options of one kind. */
export type KindOptions<Kind extends (typeof KINDS)[number]> = NonNullable<DiscoveryOptions[Kind]>;

/** The kind of a source. */
export function kindOf(options: DiscoveryOptions): (typeof KINDS)[number] {
  return KINDS.find((kind) => options[kind] !== undefined) ?? 'file';
}

/** The scheme of targets whose source says none. */
export function schemeOf(
  { scheme }: Pick<DiscoveryOptions, 'scheme'>,
  { protocol, tls }: { readonly protocol: 'http' | 'grpc'; readonly tls?: unknown },
): string {
  return scheme ?? (tls === undefined ? protocol : `${protocol}s`);
}
