import { isIP } from 'node:net';
import { z } from 'zod';
import { timerDuration } from '../config/units.ts';

const file = z.string().min(1);

const port = z.int().min(0).max(65_535).describe('Port, from 0 (any free one) to 65535.');

const publicPort = z
  .int()
  .min(1)
  .max(65_535)
  .describe('Port of HTTPS as clients see it, where it is another one than that of a listener.');

const proxyAddress = z.string().refine((text) => {
  const [, address = '', bits = '0'] = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const family = isIP(address);
  return text === 'loopback' || (family !== 0 && Number(bits) <= (family === 6 ? 128 : 32));
}, 'expected `loopback`, an address or a CIDR block');

const atLeast1ms = timerDuration.refine((ms) => ms >= 1, 'expected at least 1ms');

const tls = z.strictObject({
  certificates: z
    .array(
      z.strictObject({
        cert: file.describe('File of the certificate in PEM, and of what leads to its authority.'),
        key: file.describe('File of its private key in PEM.'),
      }),
    )
    .min(1)
    .describe(
      'Certificates; each is chosen by its names, exact ones before `*.`, and the first is for whoever asks for another name or none.',
    ),
  minVersion: z
    .enum(['TLSv1.2', 'TLSv1.3'])
    .default('TLSv1.2')
    .describe('Oldest version of TLS. Default TLSv1.2.'),
  clientCertificates: z
    .strictObject({
      ca: file.describe('File of the authorities in PEM that certificates of clients have to lead to.'),
      mode: z
        .enum(['optional', 'required'])
        .default('required')
        .describe(
          'Whether a client may have none. One that does not hold is refused in either mode. Default required.',
        ),
    })
    .optional()
    .describe('Asks clients for a certificate. Default: no.'),
});

const proxyProtocol = z.union([
  z.boolean(),
  z.strictObject({
    from: z.array(proxyAddress).min(1).optional().describe('Who may speak it. Default: `trustedProxies`.'),
    timeout: atLeast1ms.default(3000).describe('How long its header may take. Default 3s.'),
  }),
]);

const limits = z.strictObject({
  headerTime: atLeast1ms.default(15_000).describe('How long the head of a request may take. Default 15s.'),
  bodyTime: z
    .union([z.literal('off'), atLeast1ms])
    .default('off')
    .describe('How long a body may take in all, however steadily it comes. Default off.'),
  connectionsPerAddress: z
    .int()
    .min(1)
    .max(1_000_000)
    .optional()
    .describe(
      'Most open connections of one client address, or of one /64 of IPv6. Default: no limit of its own.',
    ),
  requestsPerConnection: z
    .int()
    .min(1)
    .max(1_000_000)
    .optional()
    .describe('Requests after which a connection ends. Default: no limit, and 10000 over HTTP/2.'),
  concurrentStreams: z
    .int()
    .min(1)
    .max(10_000)
    .default(100)
    .describe('Most requests at once on one connection of HTTP/2. Default 100.'),
});

const listener = z.strictObject({
  port,
  host: z
    .string()
    .regex(/^[^\s/]+$/, 'expected a host name or an IP address to listen on')
    .optional()
    .describe('Address to listen on. Default: `HOST` of the environment.'),
  http2: z
    .boolean()
    .optional()
    .describe('Whether HTTP/2 is spoken besides HTTP/1.1. Default: with `tls` yes, without it no.'),
  tls: tls.optional().describe('Speaks TLS. Default: no.'),
  redirectToHttps: z
    .union([z.boolean(), publicPort])
    .default(false)
    .describe(
      'Answers every request with 308 to the same URL over HTTPS, at the port of the first listener with `tls`, or at this one. Default false.',
    ),
  proxyProtocol: proxyProtocol
    .default(false)
    .describe(
      'Whether connections begin with a header of the PROXY protocol, version 1 or 2. Default false.',
    ),
  limits: limits.prefault({}).describe('What one client may take of the listener.'),
});

/** The `listeners:` section. */
export const listenersSchema = z
  .array(listener)
  .min(1)
  .superRefine((listeners, context) => {
    for (const [index, fault] of listeners.flatMap((_, i) =>
      faultsOf(listeners, i).map((one) => [i, one] as const),
    ))
      context.addIssue({ code: 'custom', path: [index, ...fault.path], message: fault.message });
  })
  .describe('Where clients connect. Default: one listener, at PORT and HOST of the environment.');

/** One parsed listener of the configuration file. */
export type ListenerOptions = z.output<typeof listener>;

interface ListenerFault {
  readonly path: readonly string[];
  readonly message: string;
}

const ANY = new Set(['0.0.0.0', '::']);

function faultsOf(listeners: readonly ListenerOptions[], index: number): readonly ListenerFault[] {
  const { port, host, tls, redirectToHttps } = listeners[index] as ListenerOptions;
  const faults: ListenerFault[] = [];
  const earlier = listeners.slice(0, index).findIndex((one) => overlaps(one, { port, host }));
  if (port !== 0 && earlier >= 0)
    faults.push({ path: ['port'], message: `the port is the one of listeners[${earlier}], too` });
  if (redirectToHttps !== false && tls !== undefined)
    faults.push({ path: ['redirectToHttps'], message: 'the listener speaks TLS itself' });
  if (redirectToHttps === true && listeners.every((one) => one.tls === undefined))
    faults.push({
      path: ['redirectToHttps'],
      message: 'expected the port of HTTPS in place of `true`: no listener has `tls`',
    });
  return faults;
}

function overlaps(
  one: Pick<ListenerOptions, 'port' | 'host'>,
  other: Pick<ListenerOptions, 'port' | 'host'>,
): boolean {
  if (one.port !== other.port) return false;
  const hosts = [one.host, other.host];
  return one.host === other.host || hosts.some((host) => host === undefined || ANY.has(host));
}
