import { spawn, type ChildProcess } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseAllDocuments } from 'yaml';
import { kubePlace } from '../../scripts/kube-place.ts';
import { freePort } from '../../src/listeners/free-port.ts';

type Json = Record<string, unknown>;
type Applied = Json & { apiVersion: string; kind: string; metadata: { name: string; namespace?: string } };

const OF_CLUSTER = new Set([
  'GatewayClass',
  'Namespace',
  'CustomResourceDefinition',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
  'ClusterRole',
  'ClusterRoleBinding',
]);
const TOKENS = { admin: 'token-of-admin', gateway: 'token-of-gateway' } as const;

/** An API server of Kubernetes and its etcd, as real as they are. `scripts/ensure-kube-apiserver.ts` brings both. */
export class KubeApiServer {
  readonly #folder = mkdtempSync(join(tmpdir(), 'gatehouse-kube-'));
  readonly #children: ChildProcess[] = [];
  #port = 0;
  #args: readonly string[] = [];

  async start(): Promise<this> {
    const [client, peer] = [await freePort(), await freePort()];
    this.#port = await freePort();
    const path = (name: string): string => join(this.#folder, name);
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    writeFileSync(path('sa.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
    writeFileSync(path('sa.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
    const gateway = 'system:serviceaccount:gatehouse:gatehouse';
    writeFileSync(path('tokens'), `${TOKENS.admin},admin,1,system:masters\n${TOKENS.gateway},${gateway},2\n`);
    const etcd = `http://127.0.0.1:${client}`;
    const own = `http://127.0.0.1:${peer}`;
    this.#run('etcd', ['--data-dir', path('etcd'), '--listen-client-urls', etcd, '--advertise-client-urls', etcd, '--listen-peer-urls', own, '--initial-advertise-peer-urls', own, '--initial-cluster', `default=${own}`]); // prettier-ignore
    this.#args = [`--etcd-servers=${etcd}`, '--service-account-issuer=https://kubernetes.default.svc', `--service-account-key-file=${path('sa.pub')}`, `--service-account-signing-key-file=${path('sa.key')}`, '--service-cluster-ip-range=10.0.0.0/24', `--cert-dir=${path('certs')}`, `--secure-port=${this.#port}`, '--bind-address=127.0.0.1', `--token-auth-file=${path('tokens')}`, '--authorization-mode=RBAC', '--disable-admission-plugins=ServiceAccount']; // prettier-ignore
    await this.#serve();
    return this;
  }

  /** Has the API server killed, and another one started with the same data. */
  async restart(): Promise<void> {
    // The last that was started.
    const child = this.#children.pop();
    const ended = new Promise((resolve) => child?.once('exit', resolve));
    child?.kill('SIGKILL');
    await ended;
    await this.#serve();
  }

  async #serve(): Promise<void> {
    this.#run(kubePlace.server, this.#args);
    for (let tries = 0; tries < 600; tries += 1) {
      const { status } = await this.ask('GET', '/readyz').catch(() => ({ status: 0 }));
      if (status === 200) return;
      await sleep(200);
    }
    throw new Error(
      `kube-apiserver does not begin: ${readFileSync(join(this.#folder, 'log'), 'utf8').slice(-2000)}`,
    );
  }

  async stop(): Promise<void> {
    for (const child of this.#children.reverse()) {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** A kubeconfig of the service account of the gateway. */
  get kubeconfig(): string {
    const server = `https://127.0.0.1:${this.#port}`;
    return JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'c', cluster: { server, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'u', user: { token: TOKENS.gateway } }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u', namespace: 'gatehouse' } }],
      'current-context': 'x',
    });
  }

  /** Puts objects as `kubectl apply --server-side` does. @throws {Error} with what the server says against one. */
  async apply(...given: readonly (string | object)[]): Promise<void> {
    for (const one of given) {
      const objects =
        typeof one === 'string'
          ? parseAllDocuments(one).map((document) => document.toJS() as unknown)
          : [one];
      for (const object of objects as (Applied | null)[]) if (object !== null) await this.#put(object);
    }
  }

  /** Puts the definitions of the Gateway API and of GatehousePolicy, and waits until they are served. */
  async define(): Promise<void> {
    const read = (folder: string): string[] =>
      readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
    await this.apply(
      ...read(kubePlace.definitions),
      ...read(join(import.meta.dirname, '../../deploy/kubernetes/crds')),
    );
    for (const path of [
      '/apis/gateway.networking.k8s.io/v1/httproutes',
      '/apis/gateway.networking.k8s.io/v1/backendtlspolicies',
      '/apis/gatehouse.dev/v1/gatehousepolicies',
    ])
      for (let tries = 0; tries < 200 && (await this.ask('GET', path)).status !== 200; tries += 1)
        await sleep(100);
  }

  /** Waits until an object is as somebody wants it. */
  async until(path: string, isSo: (object: Json) => boolean): Promise<Json> {
    let last: Json = {};
    for (let tries = 0; tries < 300; tries += 1) {
      const { body } = await this.ask('GET', path);
      last = JSON.parse(body) as Json;
      if (isSo(last)) return last;
      await sleep(50);
    }
    throw new Error(`${path} is ${JSON.stringify(last)}`);
  }

  ask(method: string, path: string, body?: unknown): Promise<{ status: number; body: string }> {
    return new Promise((resolve, reject) => {
      const headers = {
        authorization: `Bearer ${TOKENS.admin}`,
        'content-type': 'application/apply-patch+yaml',
      };
      const outgoing = request(
        { port: this.#port, host: '127.0.0.1', path, method, headers, rejectUnauthorized: false },
        (answer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.on('end', () =>
            resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
          );
        },
      );
      outgoing.on('error', reject);
      outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  async #put(object: Applied): Promise<void> {
    const { apiVersion, kind, metadata } = object;
    const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const space = OF_CLUSTER.has(kind) ? '' : `/namespaces/${metadata.namespace ?? 'default'}`;
    const plural = pluralOf(kind.toLowerCase());
    const { status, body } = await this.ask(
      'PATCH',
      `${root}${space}/${plural}/${metadata.name}?fieldManager=test&force=true&fieldValidation=Strict`,
      object,
    );
    if (status >= 300) throw new Error(`${kind} ${metadata.name}: ${status} ${body.slice(0, 1000)}`);
  }

  #run(command: string, args: readonly string[]): void {
    const log = openSync(join(this.#folder, 'log'), 'a');
    this.#children.push(spawn(command, args, { stdio: ['ignore', log, log] }));
    closeSync(log);
  }
}

function pluralOf(kind: string): string {
  if (/(?:s|ss)$/.test(kind)) return `${kind}es`;
  return kind.endsWith('y') && !kind.endsWith('ay') ? `${kind.slice(0, -1)}ies` : `${kind}s`;
}
