import { z } from 'zod';
import { timerDuration } from '../config/units.ts';

const label = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, 'expected a name of Kubernetes, such as users');
const named = z
  .string()
  .regex(/^[a-z0-9-]{1,63}\/[a-z0-9.-]{1,253}$/, 'expected a namespace and a name, such as shop/gateway');
const port = z.int().min(0).max(65_535);
const MOST_NAMESPACES = 50;

/** The `kubernetes:` section, but for the policies of its routes. */
export const kubernetesSchema = z.strictObject({
  kubeconfig: z
    .string()
    .min(1)
    .optional()
    .describe('File with cluster and credentials. Default the service account of the pod.'),
  context: z.string().min(1).optional().describe('Context of the kubeconfig. Default its current one.'),
  namespaces: z
    .array(label)
    .min(1)
    .max(MOST_NAMESPACES)
    .optional()
    .describe('Whose objects are taken. Default those of all namespaces.'),
  controller: z
    .string()
    .regex(/^[a-z0-9.-]+\/[A-Za-z0-9/._~%!$&'()*+,;=:-]+$/, 'expected a domain and a path')
    .default('gatehouse.dev/gateway')
    .describe(
      'What GatewayClasses and IngressClasses name as their controller to be ours. Default gatehouse.dev/gateway.',
    ),
  gatewayApi: z
    .boolean()
    .default(true)
    .describe('Whether Gateways and their routes are taken. Default true.'),
  ingress: z.boolean().default(false).describe('Whether Ingresses are taken. Default false.'),
  ports: z
    .record(z.string().regex(/^\d{1,5}$/, 'expected a port'), port)
    .default({})
    .describe(
      'Ports that the gateway listens on, by the ports that Gateways say, such as { 80: 8080, 443: 8443 }. One that the file has no listener for is opened when a Gateway asks for it. Default: ports are what Gateways say, and those of the file.',
    ),
  addresses: z
    .array(z.string().min(1).max(253))
    .max(16)
    .default([])
    .describe('Addresses and host names that Gateways are told to be reached at. Default none.'),
  service: named
    .optional()
    .describe('Service in front of the gateway, as namespace/name: Gateways are told its addresses.'),
  status: z
    .boolean()
    .default(true)
    .describe('Whether what became of objects is written into their status. Default true.'),
  lease: z
    .strictObject({
      name: label.default('gatehouse').describe('Its name. Default gatehouse.'),
      namespace: label.optional().describe('Its namespace. Default that of the pod.'),
    })
    .prefault({})
    .describe('The Lease by which one of several replicas is the one that writes status.'),
  folder: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Folder that certificates and keys of Secrets are written to, for nobody else to read. Default one of the system for temporary files.',
    ),
  settle: timerDuration
    .refine((ms) => ms <= 60_000, 'expected at most 1m')
    .default(250)
    .describe('How long changes are waited for that come together. Default 250ms.'),
  maxRoutes: z
    .int()
    .min(1)
    .max(100_000)
    .default(10_000)
    .describe('Most routes that objects are made into; what comes after is refused. Default 10000.'),
  absentAfter: timerDuration
    .default(60_000)
    .describe(
      'How long a kind that was served has to be missing, by the answer to its list and by discovery, until its objects are given up. Default 1m.',
    ),
  maxStale: timerDuration
    .default(600_000)
    .describe(
      'Age of the last word of the cluster from which on it is warned of, and readiness says `degraded`. Default 10m.',
    ),
});
