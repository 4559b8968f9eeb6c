import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket as TcpSocket } from 'node:net';
import { decode, encode, type Answer, type DecodedPacket, type Packet } from 'dns-packet';

/** What a name server answers: records, a code, raw bytes, or nothing. */
export interface Reply {
  readonly answers?: readonly Answer[];
  readonly additionals?: readonly Answer[];
  readonly authorities?: readonly Answer[];
  readonly rcode?: keyof typeof RCODES;
  readonly truncated?: boolean;
  /** Changes the message before it is sent. */
  readonly forge?: (message: Buffer) => Buffer;
}

const RCODES = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 } as const;
const RESPONSE_FLAGS = 0x84_00;
const TC = 0x02_00;

/** Says what is answered to a question; several are sent one after the other, `undefined` is silence. */
export type Behaviour = (
  question: { readonly name: string; readonly type: string },
  way: 'udp' | 'tcp',
  query: DecodedPacket,
) => Reply | readonly Reply[] | undefined;

/** A name server that does what a test says, over UDP and TCP on one port. */
export class NameServer {
  behaviour: Behaviour = () => ({ rcode: 'REFUSED' });
  readonly asked: string[] = [];
  readonly ports = new Set<number>();
  readonly ids = new Set<number>();
  readonly #udp: Socket = createSocket('udp4');
  readonly #tcp: Server = createServer((socket) => this.#serve(socket));
  readonly #sockets = new Set<TcpSocket>();

  /** Its address and port. */
  get place(): string {
    return `127.0.0.1:${(this.#tcp.address() as AddressInfo).port}`;
  }

  async start(): Promise<this> {
    // A port that is free for both.
    for (;;) {
      this.#tcp.listen(0, '127.0.0.1');
      await once(this.#tcp, 'listening');
      const { port } = this.#tcp.address() as AddressInfo;
      const isFree = await new Promise<boolean>((resolve) => {
        this.#udp.once('error', () => resolve(false)).bind(port, '127.0.0.1', () => resolve(true));
      });
      if (isFree) break;
      this.#tcp.close();
      await once(this.#tcp, 'close');
    }
    this.#udp.on('message', (message, from) => this.#answer(message, from));
    return this;
  }

  stop(): void {
    this.#udp.close();
    this.#tcp.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #answer(message: Buffer, from: RemoteInfo): void {
    this.ports.add(from.port);
    for (const reply of this.#replies(message, 'udp')) this.#udp.send(reply, from.port, from.address);
  }

  #serve(socket: TcpSocket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket));
    socket.on('data', (data: Buffer) => {
      for (const reply of this.#replies(data.subarray(2), 'tcp')) {
        const length = Buffer.alloc(2);
        length.writeUInt16BE(reply.length);
        // In three pieces, for nobody promises whole ones.
        socket.write(length.subarray(0, 1));
        setImmediate(() => {
          socket.write(Buffer.concat([length.subarray(1), reply.subarray(0, 5)]));
          setImmediate(() => socket.write(reply.subarray(5)));
        });
      }
    });
  }

  #replies(message: Buffer, way: 'udp' | 'tcp'): readonly Buffer[] {
    const query = decode(message);
    const [question] = query.questions ?? [];
    if (question === undefined) return [];
    this.asked.push(`${way} ${question.name} ${question.type}`);
    this.ids.add(query.id ?? 0);
    const replies = this.behaviour(question, way, query) ?? [];
    return (Array.isArray(replies) ? replies : [replies]).map((reply: Reply) => wire(query, reply));
  }
}

function wire(query: DecodedPacket, reply: Reply): Buffer {
  const { answers = [], additionals = [], authorities = [], rcode = 'NOERROR', truncated, forge } = reply;
  const packet = {
    type: 'response',
    id: query.id,
    flags: RESPONSE_FLAGS | RCODES[rcode] | (truncated === true ? TC : 0),
    questions: query.questions,
    answers,
    additionals,
    authorities,
  } as Packet;
  const message = encode(packet);
  return forge === undefined ? message : forge(message);
}

/** An address record. */
export function a(name: string, data: string, ttl = 60): Answer {
  return { type: data.includes(':') ? 'AAAA' : 'A', name, data, ttl } as Answer;
}

/** An alias. */
export function cname(name: string, data: string, ttl = 60): Answer {
  return { type: 'CNAME', name, data, ttl };
}

/** A service record: priority, weight, port, target. */
export function srv(
  name: string,
  [priority, weight, port, target]: readonly [number, number, number, string],
  ttl = 60,
): Answer {
  return { type: 'SRV', name, ttl, data: { priority, weight, port, target } };
}

/** What says how long there is nothing. */
export function soa(name: string, ttl: number, minimum: number): Answer {
  const numbers = { serial: 1, refresh: 1, retry: 1, expire: 1, minimum };
  return { type: 'SOA', name, ttl, data: { mname: 'ns.test', rname: 'root.test', ...numbers } };
}
