import { create, toBinary, type DescFile } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema, type FileDescriptorProto } from '@bufbuild/protobuf/wkt';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { pythonWithGrpc } from '../../scripts/python-with-grpc.ts';
import { freePort } from '../../src/listeners/free-port.ts';
import { file_google_rpc_error_details } from '../../src/upstreams/grpc/gen/google/rpc/error_details_pb.ts';
import { file_google_rpc_status } from '../../src/upstreams/grpc/gen/google/rpc/status_pb.ts';
import { file_grpc_reflection_v1_reflection } from '../../src/upstreams/grpc/gen/grpc/reflection/v1/reflection_pb.ts';

const SCRIPT = 'test/support/peer/peer.py';
const SETS = ['proto/test/kinds.binpb', 'config/descriptors/shop.binpb'];
const SERVICES = ['test.v1.Kinds', 'test.v1.Shapes', 'shop.v1.Orders', 'grpc.reflection.v1.ServerReflection'];

/** What it speaks besides its services: errors with details, and reflection. */
const SPOKEN = [file_google_rpc_status, file_google_rpc_error_details, file_grpc_reflection_v1_reflection];

/** A call as the peer has seen it. */
export interface PeerCall {
  readonly method: string;
  /** What it had left when it came; null without a deadline. */
  readonly remainingMs: number | null;
  /** Names and values, those of `-bin` in base64. */
  readonly metadata: readonly (readonly [string, string])[];
  /** The messages that came, in base64. */
  readonly requests: readonly string[];
  readonly end: 'open' | 'answered' | 'refused' | 'cancelled' | 'deadline';
}

/** How the peer answers; what is not said is as if nothing was ever said. */
export interface PeerBehavior {
  /** Calls wait for `release`, or until nobody waits for them. */
  readonly hold?: boolean;
  /** `rich` is a `google.rpc.Status` as JSON text. */
  readonly status?: { readonly code: string; readonly details: string; readonly rich?: string };
  readonly header?: readonly (readonly [string, string])[];
  readonly trailer?: readonly (readonly [string, string])[];
  /** What unary methods of Kinds answer instead of what they are sent, in base64. */
  readonly answer?: string;
  /** Compresses what it answers. */
  readonly gzip?: boolean;
}

/** How a peer is started. */
export interface PeerOptions {
  /** Default: a free one. */
  readonly port?: number;
  /** Serves what these files declare, in place of those of `proto/`. */
  readonly files?: Iterable<DescFile>;
  readonly services?: readonly string[];
}

/** A gRPC service in Python, in a process of its own, made with Google's own libraries. */
export class GrpcPeer {
  readonly port: number;
  readonly url: string;
  readonly #child: ChildProcess;
  readonly #answers = new Map<number, { resolve(value: unknown): void; reject(reason: Error): void }>();
  #asked = 0;

  constructor(child: ChildProcess, port: number, lines: NodeJS.EventEmitter) {
    this.#child = child;
    this.port = port;
    this.url = `grpc://127.0.0.1:${String(port)}`;
    lines.on('line', (line: string) => this.#hear(line));
  }

  /** Forgets all calls and says how the next ones are answered. */
  async behave(behavior: PeerBehavior = {}): Promise<void> {
    await this.#ask('behave', { ...behavior });
  }

  /** Lets held calls go on. */
  async release(): Promise<void> {
    await this.#ask('release', {});
  }

  /** The calls since the last `behave`. */
  async calls(): Promise<readonly PeerCall[]> {
    return (await this.#ask('calls', {})) as PeerCall[];
  }

  /** Waits until the calls since the last `behave` are as wanted, and returns them. */
  async callsWhen(wanted: (calls: readonly PeerCall[]) => boolean): Promise<readonly PeerCall[]> {
    for (;;) {
      const calls = await this.calls();
      if (wanted(calls)) return calls;
      await sleep(10);
    }
  }

  /** The canonical JSON of messages in their binary form, by Google's library; null for one that has none. */
  async print(type: string, messages: readonly Uint8Array[], defaults = false): Promise<(string | null)[]> {
    const encoded = messages.map((message) => Buffer.from(message).toString('base64'));
    return (await this.#ask('print', { type, messages: encoded, defaults })) as (string | null)[];
  }

  /** The messages, in their binary form, that JSON texts mean to Google's library; null for one that means none. */
  async parse(type: string, texts: readonly string[]): Promise<(Buffer | null)[]> {
    const parsed = (await this.#ask('parse', { type, texts })) as (string | null)[];
    return parsed.map((one) => (one === null ? null : Buffer.from(one, 'base64')));
  }

  /** Ends the process; its connections are reset. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }

  #ask(op: string, request: Readonly<Record<string, unknown>>): Promise<unknown> {
    const id = (this.#asked += 1);
    return new Promise((resolve, reject) => {
      this.#answers.set(id, { resolve, reject });
      this.#child.stdin?.write(`${JSON.stringify({ id, op, ...request })}\n`);
    });
  }

  #hear(line: string): void {
    const { id, result, error } = JSON.parse(line) as { id: number; result?: unknown; error?: string };
    const waiting = this.#answers.get(id);
    this.#answers.delete(id);
    if (error === undefined) waiting?.resolve(result);
    else waiting?.reject(new Error(`the peer: ${error}`));
  }
}

/** Starts a peer; it listens when this resolves. Rejects with the words of Python when it cannot. */
export async function startPeer(options: PeerOptions = {}): Promise<GrpcPeer> {
  const python = pythonWithGrpc();
  if (python === undefined) {
    throw new Error('there is no python3 with grpcio and protobuf; run node scripts/ensure-grpc-peer.ts');
  }
  const child = spawn(python, ['-B', SCRIPT], { stdio: ['pipe', 'pipe', 'pipe'] });
  // It ends with its stdin, and so with this process, whatever ends that.
  child.stdin.on('error', () => undefined);
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const { port = await freePort(), files, services = SERVICES } = options;
  const own = files === undefined ? SETS.map((file) => readFileSync(file)) : [descriptorSet(files)];
  const sets = [...own, descriptorSet(SPOKEN)].map((set) => Buffer.from(set).toString('base64'));
  child.stdin.write(`${JSON.stringify({ sets, services, port })}\n`);
  const lines = createInterface({ input: child.stdout });
  const first = await Promise.race([once(lines, 'line'), once(child, 'exit')]);
  if (typeof first[0] !== 'string') throw new Error(`the peer ended at once: ${said}`);
  return new GrpcPeer(child, (JSON.parse(first[0]) as { port: number }).port, lines);
}

/** The files with all that they import, what is imported first. */
function descriptorSet(roots: Iterable<DescFile>): Uint8Array {
  const files = new Map<string, FileDescriptorProto>();
  const add = ({ proto, dependencies }: DescFile): void => {
    dependencies.forEach(add);
    files.set(proto.name, proto);
  };
  for (const root of roots) add(root);
  return toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file: [...files.values()] }));
}
