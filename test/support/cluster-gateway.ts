import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'node:http';
import { startGateway, type TestGateway } from './gateway.ts';
import { TestCluster } from './cluster.ts';

/** A Service of one port and its EndpointSlice, as they are written. */
export function serviceAt(
  name: string,
  port: number,
  namespace = 'default',
  addresses: readonly string[] = ['127.0.0.1'],
): object[] {
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace },
      spec: { ports: [{ name: 'http', port: 80, targetPort: port }] },
    },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: `${name}-1`, namespace, labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      ports: [{ name: 'http', port, protocol: 'TCP' }],
      endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
    },
  ];
}

/** A GatewayClass of ours and a Gateway with one HTTP listener at port 80. */
export const GATEWAY = `
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: { name: gatehouse }
spec: { controllerName: gatehouse.dev/gateway }
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: edge }
spec:
  gatewayClassName: gatehouse
  listeners:
    - { name: http, port: 80, protocol: HTTP, allowedRoutes: { namespaces: { from: All } } }
`;

/** What was answered. */
export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** Whatever a gateway can be led to. */
interface AnyCluster {
  readonly kubeconfig: string;
  stop(): void | Promise<void>;
}

/** A gateway that follows a cluster. */
export class ClusterGateway<Cluster extends AnyCluster = TestCluster> {
  readonly cluster: Cluster;
  readonly gateway: TestGateway;
  readonly #folder: string;

  private constructor(cluster: Cluster, gateway: TestGateway, folder: string) {
    this.cluster = cluster;
    this.gateway = gateway;
    this.#folder = folder;
  }

  /** @param options of the `kubernetes:` section; @param file what stands in the file besides. */
  static async start<Cluster extends AnyCluster>(
    cluster: Cluster,
    options: object = {},
    file: object = { listeners: [{ port: 0 }] },
  ): Promise<ClusterGateway<Cluster>> {
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-cluster-'));
    const kubeconfig = join(folder, 'kubeconfig');
    writeFileSync(kubeconfig, cluster.kubeconfig);
    const section = {
      kubeconfig,
      settle: '5ms',
      ports: { 80: 0 },
      policies: { authentication: 'public' },
      ...options,
    };
    const config = JSON.stringify({ version: 1, kubernetes: section, ...file }, null, 1);
    // Sections stand at the left in files that people write.
    const text = Object.entries(JSON.parse(config) as object)
      .map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`)
      .join('');
    const gateway = await startGateway({ config: text });
    return new ClusterGateway(cluster, gateway, folder);
  }

  async stop(): Promise<void> {
    await this.gateway.stop();
    await this.cluster.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Asks the gateway. */
  ask(
    path: string,
    {
      host = 'any.test',
      method = 'GET',
      headers = {},
      port,
    }: { host?: string; method?: string; headers?: object; port?: number } = {},
  ): Promise<Answered> {
    const own = Number(new URL(this.gateway.gateway.urls[0] ?? this.gateway.url).port);
    return new Promise((resolve, reject) => {
      const outgoing = request(
        { host: '127.0.0.1', port: port ?? own, path, method, headers: { host, ...headers }, agent: false },
        (answer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.on('end', () =>
            resolve({
              status: answer.statusCode ?? 0,
              headers: answer.headers,
              body: Buffer.concat(chunks).toString(),
            }),
          );
        },
      );
      outgoing.on('error', reject);
      outgoing.end();
    });
  }

  /** Asks until the answer is as somebody wants it. */
  async until(
    isSo: (answer: Answered) => boolean,
    ...asked: Parameters<ClusterGateway['ask']>
  ): Promise<Answered> {
    let last: Answered | undefined = undefined;
    for (let tries = 0; tries < 600; tries += 1) {
      last = await this.ask(...asked);
      if (isSo(last)) return last;
      await sleep(5);
    }
    const said = this.gateway.lines.filter(({ msg }) => msg !== 'exchange').slice(-12);
    throw new Error(`the last answer was ${JSON.stringify(last)}; ${JSON.stringify(said)}`);
  }
}
